import { createPublicKey } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';

/** A published key set as proxies get it. */
export interface KeySet {
  /** Canonical: the same keys are the same text, in whatever order and with whatever beside them they were published. */
  readonly jwks: string;
  readonly keys: number;
}

const mostKeys = 100;
/** RFC 7518, 3.3. */
const shortestModulus = 2048;
/** Every one of them makes a key private or symmetric (RFC 7518, 6; `priv` is that of the newer kinds). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
/** What of a key goes to proxies, by its kind; the kinds are those that Envoy verifies with. */
const publicMembers: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
]);
const curves = ['P-256', 'P-384', 'P-521', 'Ed25519'];
const descriptive = ['kty', 'kid', 'alg', 'use'];

/**
 * Reads what an identity provider publishes. Keys of kinds that are not known are passed over, as RFC 7517 (5) asks; a
 * set with a key that should be secret is refused as a whole, because whoever can read it could sign.
 * @throws CitadelError with nothing of the text itself
 */
export function readKeySet(text: string): KeySet {
  const parsed = parseObject(text);
  if (!parsed) throw broken('is no JSON object');
  const { keys } = parsed;
  if (!Array.isArray(keys)) throw broken('has no list of keys');
  if (keys.length > mostKeys) throw broken(`holds more than ${mostKeys} keys`);
  const usable = new Set<string>();
  for (const [index, key] of keys.entries()) {
    if (!isObject(key)) throw broken(`holds something else than an object as key ${index}`);
    if (key['kty'] === 'oct' || secretMembers.some((member) => Object.hasOwn(key, member)))
      throw broken(`publishes a secret: key ${index} is symmetric or private`);
    const canonical = canonicalKey(key);
    if (canonical !== undefined) usable.add(canonical);
  }
  if (usable.size === 0) throw broken('holds no key that a proxy can verify with');
  const sorted = [...usable].toSorted((a, b) => (a < b ? -1 : 1));
  return { jwks: `{"keys":[${sorted.join(',')}]}`, keys: usable.size };
}

/** Undefined for a key that no proxy could use. */
function canonicalKey(key: Readonly<Record<string, unknown>>): string | undefined {
  const { kty, use, crv } = key;
  const members = publicMembers.get(kty);
  if (!members || (use !== undefined && use !== 'sig')) return undefined;
  if (crv !== undefined && !curves.some((curve) => curve === crv)) return undefined;
  const all = [...descriptive, ...members].filter((member) => key[member] !== undefined);
  if (!all.every((member) => typeof key[member] === 'string')) return undefined;
  const picked = Object.fromEntries(all.map((member) => [member, key[member]]));
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ format: 'jwk', key: picked });
    const tooShort =
      asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < shortestModulus;
    return tooShort ? undefined : JSON.stringify(picked);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Not with JSON.parse's own message, which quotes the text. */
function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function broken(what: string): CitadelError {
  return new CitadelError('FailedPrecondition', `what is published ${what}`);
}
