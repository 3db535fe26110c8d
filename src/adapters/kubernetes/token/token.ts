import { createHash } from 'node:crypto';
import { isRecord } from '../api/index.ts';

/** What can be told from a token without verifying it; enough to keep junk from the API server. */
export interface TokenShape {
  /** The unverified `exp`: no more than an upper bound. Absent when the token names none. */
  readonly expiresAt?: Date;
}

/** Characters. Service account tokens have about 1 to 2 KiB. */
const maximumTokenLength = 16_384;

const segment = /^[A-Za-z0-9_-]+$/;

/**
 * Checks that a token has the form of a signed JWT (RFC 7519, compact serialization of RFC 7515 section 3.1): three
 * base64url segments, header and claims JSON objects, `exp` a number.
 * @returns undefined for anything else
 */
export function readTokenShape(token: string): TokenShape | undefined {
  if (token.length > maximumTokenLength) return undefined;
  const parts = token.split('.');
  const [header, claims, signature] = parts;
  if (parts.length !== 3 || header === undefined || claims === undefined || signature === undefined)
    return undefined;
  if (!segment.test(header) || !segment.test(claims) || !segment.test(signature)) return undefined;
  const readHeader = readObject(header);
  const readClaims = readObject(claims);
  if (readHeader === undefined || readClaims === undefined) return undefined;
  if (typeof readHeader['alg'] !== 'string' || readHeader['alg'].toLowerCase() === 'none') return undefined;
  const exp = readClaims['exp'];
  if (exp === undefined) return {};
  if (typeof exp !== 'number' || !Number.isFinite(exp) || Math.abs(exp) > 8.64e12) return undefined;
  return { expiresAt: new Date(exp * 1000) };
}

function readObject(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Names a token in caches, so that no cache holds the token itself. */
export function tokenKey(clusterId: string, token: string): string {
  return createHash('sha256').update(clusterId).update('\0').update(token).digest('base64url');
}
