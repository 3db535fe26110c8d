import type { IncomingMessage } from 'node:http';
import type { BrowserSessions } from '../../domain/operators/index.ts';
import { describeError, type ErrorCode, type Log, Secret, toCitadelError } from '../../kernel/index.ts';
import type { HttpReply } from '../listen/index.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { redirect } from './replies.ts';

/** Where the page is. */
export const home = '/console/';

interface SignInEnd {
  readonly sessions: BrowserSessions;
  readonly redirectUri: string;
  /** Whether it is looked at at all. */
  readonly isAdmitted: boolean;
  readonly log: Log;
}

/** A browser that the provider has sent back. What went wrong is told by the page, in its own words. */
export async function finishSignIn(
  request: IncomingMessage,
  query: URLSearchParams,
  { sessions, redirectUri, isAdmitted, log }: SignInEnd,
): Promise<HttpReply> {
  const back = (failed: ErrorCode | undefined, cookies: readonly string[]) =>
    redirect(failed === undefined ? home : `${home}#sign-in=${failed}`, [
      ...cookies,
      writeCookie('signIn', undefined),
    ]);
  if (!isAdmitted) return back('ResourceExhausted', []);
  const one = (name: string) =>
    query.getAll(name).length === 1 ? (query.get(name) ?? undefined) : undefined;
  const code = one('code');
  const given = {
    state: one('state'),
    code: code === undefined ? undefined : new Secret(code),
    error: query.get('error') ?? undefined,
    issuer: query.get('iss') ?? undefined,
  };
  try {
    const before = readCookie(request.headers, 'session');
    const { token } = await sessions.finishSignIn(readCookie(request.headers, 'signIn'), given, redirectUri);
    if (before) await sessions.signOut(before);
    return back(undefined, [writeCookie('session', token)]);
  } catch (error) {
    const { code: why, message, cause } = toCitadelError(error);
    log.warn('a sign-in to the console failed', {
      reason: message,
      ...(cause === undefined ? {} : { cause: describeError(cause) }),
    });
    return back(why, []);
  }
}
