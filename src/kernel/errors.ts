/**
 * The codes of gRPC (google.rpc.Code), by name. One vocabulary serves the wire, the CLI's exit codes and the audit
 * record, so that an error never has to be translated twice.
 */
export const errorCodes = [
  'Cancelled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorOptions {
  /** For the operator: in the log and the audit record; never sent to a caller. */
  readonly details?: string;
  /** What was caught, for the log alone. */
  readonly cause?: unknown;
}

/**
 * The one error class. `message` says what is wrong and what to do, and is sent to callers: it never holds a token, a
 * key, a path, or whether another identity exists. `details` are for log and audit record,
 * `cause` is for the log.
 */
export class CitadelError extends Error {
  override readonly name = 'CitadelError';
  readonly code: ErrorCode;
  readonly details: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details;
  }
}

/** Whether `error` is a CitadelError, of `code` where one is given. */
export function isCitadelError(error: unknown, code?: ErrorCode): error is CitadelError {
  return error instanceof CitadelError && (code === undefined || error.code === code);
}

/** Turns anything thrown into a CitadelError; what is not one already becomes Internal, its text kept from callers. */
export function toCitadelError(error: unknown): CitadelError {
  if (error instanceof CitadelError) return error;
  return new CitadelError('Internal', 'internal error; the server log has the cause', {
    cause: error,
    details: describeError(error),
  });
}

/** The message of anything thrown, for logs. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const retryable: ReadonlySet<ErrorCode> = new Set([
  'Unavailable',
  'DeadlineExceeded',
  'ResourceExhausted',
  'Aborted',
  'Cancelled',
  'Internal',
  'Unknown',
]);

/** Whether the same request may succeed later. */
export function isRetryable(code: ErrorCode): boolean {
  return retryable.has(code);
}
