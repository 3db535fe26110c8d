import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { CitadelError, type Log, type LogFields } from '../../kernel/index.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  /** Where lines go; standard error when absent. */
  readonly stream?: DestinationStream;
  readonly fields?: LogFields;
}

/** One JSON object a line. Secrets print as `[redacted]`; of errors only what serializeError names is written. */
export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level,
      base: options.fields ?? {},
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.stream ?? destination({ dest: 2, sync: true }),
  );
  return wrap(logger);
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(safe(fields), message),
    info: (message, fields) => logger.info(safe(fields), message),
    warn: (message, fields) => logger.warn(safe(fields), message),
    error: (message, fields) => logger.error(safe(fields), message),
    with: (fields) => wrap(logger.child(safe(fields))),
  };
}

function safe(fields: LogFields | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields ?? {}).map(([key, value]) => [
      key,
      value instanceof Error ? serializeError(value) : value,
    ]),
  );
}

const deepestCause = 5;

/**
 * Error to plain fields. HTTP clients hang requests, responses and headers with credentials on their errors, so fields
 * are picked by name, never copied.
 */
function serializeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error instanceof CitadelError && error.details ? { details: error.details } : {}),
    stack: error.stack,
    ...(error.cause !== undefined && depth < deepestCause
      ? { cause: serializeError(error.cause, depth + 1) }
      : {}),
  };
}
