import {
  CitadelError,
  connectionFault,
  describeError,
  type ErrorCode,
  errorCodes,
} from '../../kernel/index.ts';

const byNumber = new Map<unknown, ErrorCode>(errorCodes.map((code, index) => [index + 1, code]));

/** What a grpc-js call failed with, as our own error. */
export function fromServiceError(error: unknown): CitadelError {
  if (error instanceof CitadelError) return error;
  const field = (name: string): unknown =>
    typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  const details = field('details');
  const text = typeof details === 'string' ? connectionFault(details) : describeError(error);
  return new CitadelError(byNumber.get(field('code')) ?? 'Unknown', text, { cause: error });
}
