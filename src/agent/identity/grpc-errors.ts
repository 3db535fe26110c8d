import { status } from '@grpc/grpc-js';
import { CitadelError, type ErrorCode, errorCodes } from '../../kernel/index.ts';

const byNumber = new Map<number, ErrorCode>(errorCodes.map((code, index) => [index + 1, code]));

/** What a grpc-js call failed with, as our own error. */
export function fromServiceError(error: unknown): CitadelError {
  if (error instanceof CitadelError) return error;
  const { code, details } = error as { code?: unknown; details?: unknown };
  const known = typeof code === 'number' ? byNumber.get(code) : undefined;
  const text =
    typeof details === 'string' ? details : error instanceof Error ? error.message : 'unknown error';
  return new CitadelError(known ?? 'Unknown', text, { cause: error });
}

/** The status to answer a caller with. */
export function toStatus(error: CitadelError): { code: status; details: string } {
  return { code: errorCodes.indexOf(error.code) + 1, details: error.message };
}
