import { describeError, type ErrorCode, type Log, toCitadelError } from '../../kernel/index.ts';
import { type HttpReply } from '../listen/index.ts';
import { writeCookie } from './cookies.ts';
import { callHeaders } from './headers.ts';
import type { ConsoleReply } from './route.ts';

const statuses: Readonly<Record<ErrorCode, number>> = {
  Cancelled: 499,
  Unknown: 500,
  InvalidArgument: 400,
  DeadlineExceeded: 504,
  NotFound: 404,
  AlreadyExists: 409,
  PermissionDenied: 403,
  ResourceExhausted: 429,
  FailedPrecondition: 412,
  Aborted: 409,
  OutOfRange: 400,
  Unimplemented: 501,
  Internal: 500,
  Unavailable: 503,
  DataLoss: 500,
  Unauthenticated: 401,
};

export function json({ body, cookies }: ConsoleReply): HttpReply {
  return {
    status: 200,
    headers: {
      ...callHeaders,
      'content-type': 'application/json',
      ...(cookies ? { 'set-cookie': cookies } : {}),
    },
    body: JSON.stringify(body),
  };
}

export function failure(
  status: number,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): HttpReply {
  return {
    status,
    headers: { ...callHeaders, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ error: { code, message } }),
  };
}

/** What is said of anything thrown; a session that is none any more is taken from the browser. */
export function thrown(error: unknown, log: Log): HttpReply {
  const { code, message } = toCitadelError(error);
  if (code === 'Internal') log.error('a call of the console failed', { cause: describeError(error) });
  const ended = code === 'Unauthenticated' ? { 'set-cookie': [writeCookie('session', undefined)] } : {};
  return failure(statuses[code], code, message, ended);
}

export function redirect(location: string, cookies: readonly string[] = []): HttpReply {
  return { status: 303, headers: { ...callHeaders, location, 'set-cookie': cookies }, body: '' };
}
