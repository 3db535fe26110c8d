import type { HttpAttributes } from './request.ts';
import { normalizeHost } from './strings.ts';

/**
 * Headers for which Envoy has one place each: several values come together as one, with commas between those that are not
 * empty. Of all others each value stands by itself.
 */
const joined: ReadonlySet<string> = new Set(
  `accept accept-encoding access-control-request-headers access-control-request-method
  access-control-request-private-network authentication authorization cache-control cdn-loop connection
  content-encoding content-length content-type expect grpc-accept-encoding grpc-timeout if-match if-modified-since
  if-none-match if-range if-unmodified-since keep-alive origin pragma proxy-connection proxy-status referer te
  transfer-encoding upgrade user-agent via x-client-trace-id x-forwarded-client-cert x-forwarded-for x-forwarded-host
  x-forwarded-port x-forwarded-proto x-request-id`.split(/\s+/),
);

/** Whether a header that is sent twice is compared as one, its values with a comma between them. */
export function isJoinedHeader(name: string): boolean {
  return joined.has(name.toLowerCase());
}

/** The values with which a header's patterns are compared; `name` in small letters. */
export function headerValues({ headers, host }: HttpAttributes, name: string): readonly string[] {
  // The proxy keeps what came as `Host` under the name that HTTP/2 gives it.
  if (name === 'host' || name === ':authority') return [normalizeHost(host)];
  const values = Object.entries(headers).flatMap(([own, some]) => (own.toLowerCase() === name ? some : []));
  return values.length > 1 && isJoinedHeader(name)
    ? [values.filter((value) => value !== '').join(',')]
    : values;
}
