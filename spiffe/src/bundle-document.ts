import type { JsonWebKey, KeyObject } from 'node:crypto';
import { decodeBase64 } from './base64.ts';
import { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';
import { parseJson } from './json.ts';
import { refuseSecretMembers } from './jwk.ts';
import { MAX_AUTHORITIES, TrustBundle } from './trust-bundle.ts';
import type { TrustDomain } from './trust-domain.ts';

/** Largest bundle document taken, in bytes. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 16;
const MAX_KEY_ID_LENGTH = 256;

const keyTypes: ReadonlySet<unknown> = new Set(['EC', 'RSA', 'OKP']);
type Jwk = Readonly<Record<string, unknown>>;

/** Writes a bundle as a JWK Set (SPIFFE Trust Domain and Bundle 4, X509-SVID 6.1). Equal bundles give equal bytes. */
export function encodeBundle(bundle: TrustBundle): string {
  const x509 = bundle.x509Authorities.map((authority) => ({
    use: 'x509-svid',
    ...authority.publicKey.export({ format: 'jwk' }),
    x5c: [authority.der.toString('base64')],
  }));
  const jwt = [...bundle.jwtAuthorities]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kid, key]) => ({ ...key, use: 'jwt-svid', kid }));
  const members = [`"keys":${JSON.stringify([...x509, ...jwt])}`];
  // Written by hand: JSON.stringify takes no bigint.
  if (bundle.sequence !== undefined) members.push(`"spiffe_sequence":${bundle.sequence}`);
  if (bundle.refreshHint !== undefined) members.push(`"spiffe_refresh_hint":${bundle.refreshHint}`);
  return `{${members.join(',')}}`;
}

/**
 * Reads a bundle document of `trustDomain`; the document does not name its domain (3). Keys of unknown use or type are
 * passed over (4.1.3, 4.2); a key that claims a known use but is malformed makes the whole document invalid, for nobody
 * can tell what its publisher meant to be trusted. A bundle without usable keys is valid, and trusts nothing.
 */
export function decodeBundle(trustDomain: TrustDomain, document: string | Uint8Array): TrustBundle {
  const root = parseJson(documentText(document), MAX_DEPTH);
  if (!isObject(root)) throw new SpiffeError('bundle-json', 'the document is not a JSON object');
  const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: refreshHint } = root;
  if (!Array.isArray(keys)) throw new SpiffeError('bundle-keys', "the document has no array 'keys'");
  if (keys.length > MAX_AUTHORITIES) {
    throw new SpiffeError('bundle-size', `the document has more than ${MAX_AUTHORITIES} keys`);
  }
  const authorities: Certificate[] = [];
  const jwtAuthorities = new Map<string, JsonWebKey>();
  for (const key of keys as readonly unknown[]) {
    if (!isObject(key)) throw new SpiffeError('bundle-keys', 'a key is not a JSON object');
    if (!keyTypes.has(key['kty'])) continue;
    if (key['use'] === 'x509-svid') readX509Authority(key, authorities);
    else if (key['use'] === 'jwt-svid') readJwtAuthority(key, jwtAuthorities);
  }
  return TrustBundle.of(trustDomain, authorities, {
    sequence: readSequence(sequence),
    refreshHint: readRefreshHint(refreshHint),
    jwtAuthorities,
  });
}

function readX509Authority(key: Jwk, into: Certificate[]): void {
  refuseSecretMembers(key);
  const x5c = key['x5c'];
  if (x5c === undefined || (Array.isArray(x5c) && x5c.length === 0)) return;
  // Values after the first are passed over (X509-SVID 6.2).
  const first: unknown = Array.isArray(x5c) ? x5c[0] : undefined;
  const der = typeof first === 'string' ? decodeBase64(first) : undefined;
  if (der === undefined) throw new SpiffeError('bundle-x5c', "a key's 'x5c' is not an array of base64");
  const authority = Certificate.parse(der);
  if (!isSameKey(key, authority.publicKey)) {
    throw new SpiffeError('bundle-key-mismatch', 'a key is not the one of its certificate');
  }
  into.push(authority);
}

function readJwtAuthority(key: Jwk, into: Map<string, JsonWebKey>): void {
  const { kid, use: _use, ...rest } = key;
  if (typeof kid !== 'string' || kid.length === 0 || kid.length > MAX_KEY_ID_LENGTH) {
    throw new SpiffeError(
      'bundle-jwt-key-id',
      `a JWT key has no 'kid' of 1 to ${MAX_KEY_ID_LENGTH} characters`,
    );
  }
  if (into.has(kid)) throw new SpiffeError('bundle-jwt-key-id', "two JWT keys have the same 'kid'");
  into.set(kid, rest);
}

/** Each member that describes the certificate's key must stand in the JWK with the same value. */
function isSameKey(key: Jwk, publicKey: KeyObject): boolean {
  return Object.entries(publicKey.export({ format: 'jwk' })).every(([name, value]) => key[name] === value);
}

function readSequence(value: unknown): bigint | number | undefined {
  if (value === undefined || typeof value === 'bigint' || typeof value === 'number') return value;
  throw new SpiffeError('bundle-sequence', "'spiffe_sequence' is not an integer");
}

function readRefreshHint(value: unknown): number | undefined {
  if (value === undefined || typeof value === 'number') return value;
  throw new SpiffeError('bundle-refresh-hint', "'spiffe_refresh_hint' is not a whole number of seconds");
}

function documentText(document: string | Uint8Array): string {
  const size = typeof document === 'string' ? Buffer.byteLength(document) : document.length;
  if (size > MAX_DOCUMENT_BYTES) {
    throw new SpiffeError('bundle-size', `the document is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  }
  if (typeof document === 'string') return document;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(document);
  } catch (cause) {
    throw new SpiffeError('bundle-json', 'the document is not valid UTF-8', { cause });
  }
}

function isObject(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
