import type { ConsoleError } from '../wire/console.ts';
import { consoleHeader, largestConsoleRequest } from '../wire/console.ts';

/** What the server refused, in its words. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const api = '/console/api/';
/** Of the largest answers over a slow line. */
const deadline = 60_000;

/** @throws CallError for all that is no answer */
export function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return send<T>(path, { method: 'GET' }, {}, signal);
}

/** @throws CallError */
export async function post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const text = JSON.stringify(body);
  if (new TextEncoder().encode(text).length > largestConsoleRequest)
    throw new CallError(
      'InvalidArgument',
      'it is larger than the console takes, which is 1 MiB; use citadel policy apply',
    );
  return await send<T>(path, { method: 'POST', body: text }, headers, signal);
}

async function send<T>(
  path: string,
  request: { readonly method: string; readonly body?: string },
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const signals = [AbortSignal.timeout(deadline), ...(signal ? [signal] : [])];
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(api + path, {
      ...request,
      headers: { ...headers, [consoleHeader]: '1' },
      credentials: 'same-origin',
      redirect: 'error',
      signal: AbortSignal.any(signals),
    });
    body = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new CallError('Unavailable', 'the server does not answer; try again');
  }
  // Both sides are compiled by the same types, and it is our own server that answers.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (response.ok) return body as T;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { error } = body as ConsoleError;
  throw new CallError(error.code, error.message);
}

/** What to tell of anything thrown. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What to do with anything thrown: it is told, unless whoever asks has to sign in again. */
export function failing(tell: (problem: string) => void, onEnded: () => void): (error: unknown) => void {
  return (error) => {
    if (isSessionEnd(error)) onEnded();
    else tell(describe(error));
  };
}

/** Whether whoever asks has to sign in again. */
export function isSessionEnd(error: unknown): boolean {
  return error instanceof CallError && error.code === 'Unauthenticated';
}
