import type { IncomingMessage } from 'node:http';

/** A CRL as HTTP gives it out (RFC 5280, 4.2.1.13; RFC 2585, 4.2). */
export interface ServedCrl {
  /** The authority's id, and its fingerprint: either names it. */
  readonly id: string;
  readonly issuer: string;
  readonly number: number;
  /** DER. */
  readonly der: Uint8Array;
}

export interface CrlReply {
  readonly status: 200 | 304 | 404;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

const path = /^\/crl\/([A-Za-z0-9._-]{1,128})\.crl$/;
const nothing: CrlReply = {
  status: 404,
  type: 'text/plain; charset=utf-8',
  body: 'there is no such CRL; /crl names them\n',
  headers: {},
};

/** `/crl`: the names; `/crl/NAME.crl`: one, DER. A client that has it already is told so. @returns undefined for other paths */
export function crlReply(
  url: string,
  { headers }: Pick<IncomingMessage, 'headers'>,
  crls: readonly ServedCrl[],
): CrlReply | undefined {
  if (url === '/crl') {
    const lines = crls.map(({ id, number, der }) => `/crl/${id}.crl number ${number} bytes ${der.length}\n`);
    return { status: 200, type: 'text/plain; charset=utf-8', body: lines.join(''), headers: {} };
  }
  if (!url.startsWith('/crl/')) return undefined;
  const name = path.exec(url)?.[1];
  const crl = crls.find(({ id, issuer }) => id === name || issuer === name);
  if (!crl) return nothing;
  const etag = `"${crl.issuer.slice(0, 16)}-${crl.number}"`;
  const known = headers['if-none-match']?.split(',').some((each) => each.trim() === etag) ?? false;
  const type = 'application/pkix-crl';
  return { status: known ? 304 : 200, type, body: known ? '' : crl.der, headers: { etag } };
}
