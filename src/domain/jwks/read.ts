import { CitadelError } from '../../kernel/index.ts';
import { isSecretJwk, judgeJwk } from '../policy/index.ts';
import { keysOfCertificates } from './certificates.ts';

/** A published key set as proxies get it. */
export interface KeySet {
  /** Canonical: the same keys are the same text, in whatever order and with whatever beside them they were published. */
  readonly jwks: string;
  readonly keys: number;
}

const mostKeys = 100;

/**
 * Reads what an identity provider publishes. Keys that proxies cannot use are passed over, as RFC 7517 (5) asks of kinds
 * that are not known; a set with a key that should be secret is refused as a whole, because whoever can read it could sign.
 * @throws CitadelError with nothing of the text itself
 */
export function readKeySet(text: string): KeySet {
  const parsed = parseObject(text);
  if (!parsed) throw broken('is no JSON object');
  const { keys = keysOfCertificates(parsed) } = parsed;
  if (!Array.isArray(keys)) throw broken('has no list of keys');
  if (keys.length > mostKeys) throw broken(`holds more than ${mostKeys} keys`);
  const usable = new Set<string>();
  for (const [index, key] of keys.entries()) {
    if (!isObject(key)) throw broken(`holds something else than an object as key ${index}`);
    if (isSecretJwk(key)) throw broken(`publishes a secret: key ${index} is symmetric or private`);
    const judged = judgeJwk(key);
    if (judged.is === 'usable') usable.add(JSON.stringify(judged.key));
  }
  if (usable.size === 0) throw broken('holds no key that a proxy can verify with');
  const sorted = [...usable].toSorted((a, b) => (a < b ? -1 : 1));
  return { jwks: `{"keys":[${sorted.join(',')}]}`, keys: usable.size };
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
