import { isSecretJwk, judgeJwk } from './jwk.ts';
import type { Fault } from './values.ts';

const mostKeys = 100;

/** Keys that an author brings, as proxies get them and as they were written. */
export interface InlineKeys {
  /** Those that proxies can verify with, without what could sign but for shared keys: a key set (RFC 7517). */
  readonly jwks: string;
  /** Sound, and passed over: which, and why. */
  readonly passedOver: readonly string[];
  /** Which could also sign. */
  readonly secret: readonly string[];
}

/**
 * Reads a key set as an author writes it. Envoy passes over keys that it cannot use; where that leaves none it refuses the
 * filter of all rules, or answers 500 (measured, 1.40). So a key that nobody can use is a slip here, and refused.
 * @returns why there are no keys, where there are none
 */
export function readInlineKeys(text: string): InlineKeys | Fault {
  const keys = keysIn(text);
  if ('message' in keys) return keys;
  const usable: Readonly<Record<string, string>>[] = [];
  const passedOver: string[] = [];
  for (const [index, key] of keys.entries()) {
    const judged = judgeJwk(key);
    if (judged.is === 'usable') usable.push(judged.key);
    else if (judged.is === 'other') passedOver.push(`${nameOf(key, index)} ${judged.why}`);
    else
      return {
        message: `${nameOf(key, index)} ${judged.why}`,
        mend: 'copy the key whole from its issuer, or leave it out of the set',
      };
  }
  if (usable.length === 0)
    return {
      message: `holds no key that a proxy can verify with: ${passedOver.join('; ')}`,
      mend: 'proxies verify with RSA, EC on P-256, P-384 or P-521, Ed25519, and shared keys',
    };
  const secret = keys.flatMap((key, index) => (isSecretJwk(key) ? [nameOf(key, index)] : []));
  return { jwks: JSON.stringify({ keys: usable }), passedOver, secret };
}

function keysIn(text: string): readonly unknown[] | Fault {
  const whole = 'give the key set itself, as text: \'{"keys": [...]}\'';
  const parsed = parseJson(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return { message: 'is no JSON object', mend: whole };
  if (!('keys' in parsed))
    return { message: 'has no keys', mend: 'kty' in parsed ? `put the key into a set: ${whole}` : whole };
  const { keys } = parsed;
  if (!Array.isArray(keys)) return { message: 'has keys that are no list', mend: whole };
  if (keys.length === 0)
    return { message: 'holds no key', mend: 'without a key, no token can ever be verified' };
  return keys.length > mostKeys ? { message: `must not hold more than ${mostKeys} keys` } : keys;
}

function nameOf(key: unknown, index: number): string {
  const kid = typeof key === 'object' && key !== null && 'kid' in key ? key.kid : undefined;
  return `key ${index}${typeof kid === 'string' ? ` (kid ${JSON.stringify(kid)})` : ''}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
