import { type ServiceError, status } from '@grpc/grpc-js';
import { CitadelError, connectionFault, type ErrorCode, errorCodes } from '../kernel/index.ts';

const operatorListener = 'the operator API is at listen.operator, port 8443 by default';

/**
 * What a call failed with, said to the one who made it.
 * @param target the address or the path of the socket
 * @param unknown why the server may not know the caller, where the caller knows why
 */
export function fromServiceError(error: ServiceError, target: string, unknown?: string): CitadelError {
  // gRPC numbers its codes from 1 in the order that errorCodes lists them.
  const code: ErrorCode = errorCodes[error.code - 1] ?? 'Unknown';
  const failed = (as: ErrorCode, message: string) => new CitadelError(as, message, { cause: error });
  // What a server says of something behind it, as of a key home that is away: it was reached.
  const answered = error.metadata.get('content-type').length > 0;
  if (error.code === status.UNAVAILABLE && !answered) {
    const reason = connectionFault(error.details);
    const fault = trustFault(reason);
    return fault === undefined
      ? failed(
          'Unavailable',
          `${target} cannot be reached (${reason}); is the server running, and is this its address?`,
        )
      : failed('FailedPrecondition', `${target}: ${fault}`);
  }
  if (error.code === status.UNIMPLEMENTED)
    return failed(
      'FailedPrecondition',
      `${target} does not know this command: it is another of the server's ports (${operatorListener}), or an older server`,
    );
  if (error.code === status.UNAUTHENTICATED && unknown !== undefined) return failed(code, unknown);
  if (error.code === status.DEADLINE_EXCEEDED)
    return failed(code, `${target} did not answer in time; try again, or raise --timeout`);
  // An argument that only the server could judge is wrong usage all the same.
  return failed(code === 'InvalidArgument' ? 'OutOfRange' : code, error.details);
}

/** Why there is no TLS with who answers there; trying again does not help. */
function trustFault(reason: string): string | undefined {
  if (/altnames/.test(reason)) {
    const names = /is not in the cert's (?:altnames|list): (.*)/.exec(reason)?.[1] ?? 'none';
    return `its certificate is for other names (${names}); call it by one of them, or add this one to servingNames in its configuration`;
  }
  if (/alert|certificate required/i.test(reason))
    return `it refuses our certificate (${reason}); enrol again: citadel operator enrol`;
  if (/certificate/i.test(reason))
    return `its certificate is not trusted (${reason}); name the server's roots with --ca, or enrol again`;
  if (/wrong version number|packet length too long|unexpected message/i.test(reason))
    return `no TLS is spoken there; ${operatorListener}`;
  return undefined;
}
