import { CommanderError } from 'commander';
import { CitadelError, describeError, type ErrorCode } from '../kernel/index.ts';

/** What the program's exit code says; `citadel --help` lists them. */
export const exitCodes = {
  ok: 0,
  warning: 1,
  broken: 2,
  testFailed: 3,
  becomesAllowed: 4,
  becomesDenied: 5,
  undecided: 6,
  usage: 64,
  refused: 77,
  notFound: 66,
  unavailable: 69,
  internal: 70,
} as const;

export const exitCodesHelp = `
Exit codes:
  0   done; all is well
  1   done, with warnings; or not done, since it was not confirmed
  2   broken: a configuration, key, port or store that must be mended first
  3   a test of policies fails
  4   of policies checked: calls become allowed; 5 denied; 6 it cannot be told
  64  wrong usage: an unknown command or option, an argument out of range
  66  what was asked for does not exist
  69  the server cannot be reached or is busy; the same command may succeed later
  70  an error within Citadel
  77  refused: not known to the server, or without the role`;

const byCode: Partial<Record<ErrorCode, number>> = {
  InvalidArgument: exitCodes.broken,
  FailedPrecondition: exitCodes.broken,
  AlreadyExists: exitCodes.broken,
  DataLoss: exitCodes.broken,
  OutOfRange: exitCodes.usage,
  NotFound: exitCodes.notFound,
  PermissionDenied: exitCodes.refused,
  Unauthenticated: exitCodes.refused,
  Unavailable: exitCodes.unavailable,
  DeadlineExceeded: exitCodes.unavailable,
  ResourceExhausted: exitCodes.unavailable,
  Cancelled: exitCodes.unavailable,
  Aborted: exitCodes.unavailable,
};

/** Ends the command with this code; the message is already printed. */
export class ExitRequest extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** The exit code of anything thrown, and what to print of it on standard error. */
export function explainError(error: unknown): {
  readonly exitCode: number;
  readonly message: string | undefined;
} {
  if (error instanceof ExitRequest) return { exitCode: error.exitCode, message: undefined };
  // Commander has printed its message by then; it throws with code 0 for --help and --version.
  if (error instanceof CommanderError)
    return { exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage, message: undefined };
  if (error instanceof CitadelError)
    return { exitCode: byCode[error.code] ?? exitCodes.internal, message: withDetails(error) };
  return { exitCode: exitCodes.internal, message: `internal error: ${describeError(error)}` };
}

/** Who runs the program is the operator, for whom details are meant; from a server's reply there are none. */
function withDetails({ message, details }: CitadelError): string {
  return details === undefined ? message : `${message} (${details})`;
}
