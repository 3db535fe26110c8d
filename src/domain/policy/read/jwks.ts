import { createPublicKey } from 'node:crypto';
import { describeError } from '../../../kernel/index.ts';
import type { Fault } from './values.ts';

const mostKeys = 100;

/** A key as RFC 7517 writes it; only its `kty` is sure. */
export type JsonWebKey = Readonly<Record<string, unknown>> & { readonly kty: string };

/**
 * The keys of a set, or of one key by itself.
 * @returns why they are none, where they are none
 */
export function parseJwks(text: string): readonly JsonWebKey[] | Fault {
  const parsed = parseJson(text);
  if (typeof parsed !== 'object' || parsed === null)
    return { message: 'is no JSON object', mend: 'give the key set itself, as text: \'{"keys": [...]}\'' };
  const keys: unknown = 'keys' in parsed ? parsed.keys : [parsed];
  if (!Array.isArray(keys) || keys.length === 0)
    return { message: 'holds no key', mend: 'without a key, no token can ever be verified' };
  if (keys.length > mostKeys) return { message: `must not hold more than ${mostKeys} keys` };
  const result: JsonWebKey[] = [];
  for (const [index, key] of keys.entries()) {
    if (!isKey(key)) return { message: `key ${index} has no kty` };
    const fault = faultOfKey(key);
    if (fault !== undefined) return { message: `key ${index} is no usable key: ${fault}` };
    result.push(key);
  }
  return result;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKey(value: unknown): value is JsonWebKey {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kty' in value &&
    typeof value.kty === 'string' &&
    !Array.isArray(value)
  );
}

function faultOfKey(key: JsonWebKey): string | undefined {
  if (key.kty === 'oct') return typeof key['k'] === 'string' && key['k'] !== '' ? undefined : 'it has no k';
  try {
    createPublicKey({ format: 'jwk', key });
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}
