import type { TokenFailure } from './protocol.ts';

/** A failure on its way out of the process that holds the module. */
export class TokenError extends Error {
  readonly failure: TokenFailure;

  constructor(failure: TokenFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** What the library throws for a CK_RV; by its shape, for the library is loaded where it is used. */
export function returnValueOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== 'Pkcs11Error' || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

export function failureOf(error: unknown): TokenFailure {
  if (error instanceof TokenError) return error.failure;
  const code = returnValueOf(error);
  if (code !== undefined && error instanceof Error) {
    const call = 'method' in error && typeof error.method === 'string' ? error.method : '';
    return { kind: 'returned', code, name: error.message, call };
  }
  return { kind: 'broken', text: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown' };
}
