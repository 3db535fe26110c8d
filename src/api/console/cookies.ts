import type { IncomingHttpHeaders } from 'node:http';
import { Secret } from '../../kernel/index.ts';

/**
 * `session` comes along with what our own page asks for and with nothing else. `signIn` is that of one sign-in; it has to
 * come along with the window that the provider sends back, so it is Lax.
 */
const cookieNames = {
  session: '__Host-citadel-session',
  signIn: '__Host-citadel-sign-in',
} as const;

export type CookieName = keyof typeof cookieNames;

const sameSite = { session: 'Strict', signIn: 'Lax' } as const satisfies Record<CookieName, string>;
/** As the tokens are: 256 bits in base64url. */
const tokenForm = /^[A-Za-z0-9_-]{43}$/;

/** The token in a cookie; undefined where it is none, or the name comes twice. */
export function readCookie(headers: IncomingHttpHeaders, name: CookieName): Secret<string> | undefined {
  const prefix = `${cookieNames[name]}=`;
  const values = (headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(prefix))
    .map((part) => part.slice(prefix.length));
  const [value] = values;
  return values.length === 1 && value !== undefined && tokenForm.test(value) ? new Secret(value) : undefined;
}

/** A cookie of this host alone, over TLS alone, out of scripts' reach (RFC 6265bis, 4.1). Without a token it is taken away. */
export function writeCookie(name: CookieName, token: Secret<string> | undefined): string {
  const attributes = `Path=/; Secure; HttpOnly; SameSite=${sameSite[name]}`;
  const value = token?.reveal() ?? '';
  return `${cookieNames[name]}=${value}; ${attributes}${token ? '' : '; Max-Age=0'}`;
}
