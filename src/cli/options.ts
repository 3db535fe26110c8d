import { type Command, InvalidArgumentError, Option } from 'commander';
import { CitadelError, parseDuration } from '../kernel/index.ts';
import type { ConnectionOptions } from './connection.ts';
import type { OutputFormat } from './output.ts';

/** Options of every command that asks a server. */
export function withConnection(command: Command): Command {
  return command
    .addOption(
      new Option('--server <host:port>', 'operator API (default: localhost:8443)').env('CITADEL_SERVER'),
    )
    .addOption(new Option('--socket <path>', "the server's local socket").env('CITADEL_SOCKET'))
    .addOption(
      new Option('--token-file <path>', 'OIDC token instead of a client certificate').env(
        'CITADEL_TOKEN_FILE',
      ),
    )
    .option('--ca <path>', 'roots that the server is verified by (default: those of the enrolment)')
    .addOption(new Option('--timeout <duration>', 'of one call').default(10, '10s').argParser(patience))
    .hook('preAction', chooseServer);
}

/** One server is asked: of an option and the environment the option names it, and nobody names two in the same way. */
function chooseServer(command: Command): void {
  const [server, socket] = [command.getOptionValueSource('server'), command.getOptionValueSource('socket')];
  if (server === undefined || socket === undefined) return;
  if (server === socket)
    command.error(
      server === 'env'
        ? 'error: CITADEL_SERVER and CITADEL_SOCKET name two servers; unset one, or give an option'
        : 'error: --server and --socket name two servers; give one of them',
    );
  command.setOptionValueWithSource(server === 'env' ? 'server' : 'socket', undefined, undefined);
}

export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'output format').choices(['table', 'json', 'yaml']).default('table'),
  );
}

export interface OutputOptions {
  readonly output: OutputFormat;
}

export type ReadingOptions = ConnectionOptions & OutputOptions;

/** A timer of more than 24 days would end at once. */
const longestPatience = 24 * 3600;

/** For commander: how long to wait for something, in seconds. */
function patience(text: string): number {
  const given = seconds(text);
  if (given > 0 && given <= longestPatience) return given;
  throw new InvalidArgumentError('must be more than 0s, and not more than 24h');
}

/** For commander: a duration, in seconds. */
export function seconds(text: string): number {
  return argument(() => parseDuration(text) / 1000);
}

/** For commander: a time in RFC 3339, or a duration from now as in `24h`. */
export function futureTime(text: string): Date {
  return timeArgument(text, 'from now', 1);
}

/** For commander: a time in RFC 3339, or a duration before now as in `24h`. */
export function pastTime(text: string): Date {
  return timeArgument(text, 'ago', -1);
}

function timeArgument(text: string, direction: string, sign: 1 | -1): Date {
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(text)) {
    const time = new Date(text);
    if (!Number.isNaN(time.getTime())) return time;
  }
  try {
    return new Date(Date.now() + sign * parseDuration(text));
  } catch (error) {
    if (!(error instanceof CitadelError)) throw error;
    throw new InvalidArgumentError(`write it as 2026-01-31T00:00:00Z, or as a duration ${direction}: 24h`);
  }
}

/** For commander: an option of a command that asks first. */
export function withYes(command: Command): Command {
  return command.option('--yes', 'do it without asking');
}

/** For commander: an option of a command whose doing the audit record keeps. */
export function withReason(command: Command): Command {
  return command.option('--reason <text>', 'for the record', '');
}

export function pageSizeArgument(text: string): number {
  return argument(() => {
    if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= 1000) return Number(text);
    throw new CitadelError('InvalidArgument', 'must be from 1 to 1000');
  });
}

function argument<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CitadelError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
