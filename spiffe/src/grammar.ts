import { SpiffeError } from './errors.ts';

export const SCHEME = 'spiffe://';
const MAX_ID_BYTES = 2048;
const MAX_TRUST_DOMAIN_BYTES = 255;

const IN_TRUST_DOMAIN = 1;
const IN_PATH = 2;
const SLASH = 0x2f;
const DOT = 0x2e;

// One byte a character: two table look-ups decide each one, without a regular expression, on the hot path.
const classes = new Uint8Array(128);
for (const c of 'abcdefghijklmnopqrstuvwxyz0123456789.-_')
  classes[c.charCodeAt(0)] = IN_TRUST_DOMAIN | IN_PATH;
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') classes[c.charCodeAt(0)] = IN_PATH;

/** Checks a trust domain name by SPIFFE-ID 2.1 and 2.3. */
export function checkTrustDomain(name: string): void {
  if (name.length === 0) throw new SpiffeError('trust-domain-empty', 'the trust domain is empty');
  if (name.length > MAX_TRUST_DOMAIN_BYTES) {
    throw new SpiffeError(
      'trust-domain-length',
      `the trust domain is longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`,
    );
  }
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (((classes[code] ?? 0) & IN_TRUST_DOMAIN) === 0) throw trustDomainError(name, name.charAt(i));
  }
}

/** Checks a path, '' or beginning with '/', by SPIFFE-ID 2.2. */
export function checkPath(path: string): void {
  if (path.length === 0) return;
  let start = 1;
  for (let i = 1; i <= path.length; i++) {
    const code = i === path.length ? SLASH : path.charCodeAt(i);
    if (code !== SLASH) {
      if (((classes[code] ?? 0) & IN_PATH) === 0) throw pathError(path.charAt(i));
      continue;
    }
    checkSegmentShape(path, start, i);
    start = i + 1;
  }
}

/** Checks one path segment, which a '/' would end, by SPIFFE-ID 2.2. */
export function checkSegment(segment: string): void {
  if (segment.includes('/')) throw pathError('/');
  checkPath(`/${segment}`);
}

/** Splits a SPIFFE ID into trust domain name and path; these are still to be checked. */
export function splitId(text: string): { readonly name: string; readonly path: string } {
  if (typeof text !== 'string') throw new SpiffeError('id-type', 'a SPIFFE ID must be a string');
  if (text.length > MAX_ID_BYTES) throw tooLong();
  if (!text.startsWith(SCHEME)) {
    throw new SpiffeError('id-scheme', "a SPIFFE ID must begin with 'spiffe://', in lower case");
  }
  const slash = text.indexOf('/', SCHEME.length);
  const end = slash === -1 ? text.length : slash;
  return { name: text.slice(SCHEME.length, end), path: text.slice(end) };
}

/** Checks the length of a SPIFFE ID that is put together from checked parts, by SPIFFE-ID 2.3. */
export function checkLength(text: string): void {
  if (text.length > MAX_ID_BYTES) throw tooLong();
}

function checkSegmentShape(path: string, start: number, end: number): void {
  const length = end - start;
  if (length === 0) {
    if (end === path.length) throw new SpiffeError('path-trailing-slash', "the path must not end with '/'");
    throw new SpiffeError('path-empty-segment', 'the path has an empty segment');
  }
  if (length > 2 || path.charCodeAt(start) !== DOT) return;
  if (length === 2 && path.charCodeAt(start + 1) !== DOT) return;
  throw new SpiffeError('path-dot-segment', "the path must not have a '.' or '..' segment");
}

function tooLong(): SpiffeError {
  return new SpiffeError('id-length', `the SPIFFE ID is longer than ${MAX_ID_BYTES} bytes`);
}

function trustDomainError(name: string, found: string): SpiffeError {
  if (found === '?') return new SpiffeError('id-query', 'a SPIFFE ID must not have a query');
  if (found === '#') return new SpiffeError('id-fragment', 'a SPIFFE ID must not have a fragment');
  if (name.includes('@'))
    return new SpiffeError('trust-domain-userinfo', 'the trust domain must not have user information');
  if (found === ':') return new SpiffeError('trust-domain-port', 'the trust domain must not have a port');
  if (found === '%')
    return new SpiffeError('trust-domain-percent', 'the trust domain must not be percent-encoded');
  if (found >= 'A' && found <= 'Z')
    return new SpiffeError('trust-domain-case', 'the trust domain must be lower case');
  return new SpiffeError(
    'trust-domain-charset',
    'the trust domain may only hold a-z, 0-9, dot, dash and underscore',
  );
}

function pathError(found: string): SpiffeError {
  if (found === '?') return new SpiffeError('id-query', 'a SPIFFE ID must not have a query');
  if (found === '#') return new SpiffeError('id-fragment', 'a SPIFFE ID must not have a fragment');
  if (found === '%') return new SpiffeError('path-percent', 'the path must not be percent-encoded');
  return new SpiffeError(
    'path-charset',
    'a path segment may only hold a-z, A-Z, 0-9, dot, dash and underscore',
  );
}
