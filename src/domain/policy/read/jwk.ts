import { createPublicKey } from 'node:crypto';

/**
 * Whether proxies can verify with a key. `other` is sound and for something else, or of a kind that they do not know, as
 * RFC 7517 (5) foresees; `broken` is what nobody can use.
 */
export type JwkJudgement =
  | { readonly is: 'usable'; readonly key: Readonly<Record<string, string>> }
  | { readonly is: 'other' | 'broken'; readonly why: string };

interface Kind {
  /** Its parts that are numbers or octets, in base64url. */
  readonly parts: readonly string[];
  /** What signs with it; by the curve where it has one. */
  readonly algorithms: readonly string[] | Readonly<Record<string, readonly string[]>>;
}

/** What Envoy (1.40) verifies with, and no more of it than RFC 7518 and RFC 8037 allow. */
const kinds: ReadonlyMap<string, Kind> = new Map([
  ['RSA', { parts: ['n', 'e'], algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] }],
  ['EC', { parts: ['x', 'y'], algorithms: { 'P-256': ['ES256'], 'P-384': ['ES384'], 'P-521': ['ES512'] } }],
  ['OKP', { parts: ['x'], algorithms: { Ed25519: ['EdDSA'] } }],
  ['oct', { parts: ['k'], algorithms: ['HS256', 'HS384', 'HS512'] }],
]);
const allAlgorithms = new Set(
  [...kinds.values()].flatMap(({ algorithms }) => Object.values(algorithms).flat()),
);

/** RFC 7518, 3.3; the longest is BoringSSL's. */
const modulusBits = { least: 2048, most: 16_384 };
const exponents = ['AQAB', 'Aw'];

/** Every one of them makes a key private or symmetric (RFC 7518, 6; `priv` is that of the newer kinds). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** Whether whoever reads the key can sign with it. */
export function isSecretJwk(value: unknown): boolean {
  return (
    isObject(value) && (value['kty'] === 'oct' || secretMembers.some((each) => Object.hasOwn(value, each)))
  );
}

/** Judges one member of `keys`; of a usable one it gives what proxies need, and nothing that could sign but for `oct`. */
export function judgeJwk(value: unknown): JwkJudgement {
  if (!isObject(value)) return broken('is no object');
  const { kty, use, alg, kid, crv } = value;
  if (typeof kty !== 'string') return broken('has no kty');
  const kind = kinds.get(kty);
  if (!kind) return other(`is of a kind that proxies do not know, ${JSON.stringify(kty)}`);
  if (use !== undefined && use !== 'sig') return other('is not for signatures, by its use');
  for (const [name, text] of Object.entries({ alg, kid }))
    if (text !== undefined && typeof text !== 'string') return broken(`has a ${name} that is no text`);
  const misfit = faultOfAlgorithm(kty, kind, crv, alg);
  if (misfit) return misfit;
  const parts: Record<string, string> = {};
  for (const name of kind.parts) {
    const part = octets(value[name]);
    if (part === undefined) return broken(`has no ${name} in base64url`);
    parts[name] = part;
  }
  const told = Object.entries({ kty, kid, alg, use, crv }).flatMap(([name, text]) =>
    typeof text === 'string' ? [[name, text] as const] : [],
  );
  const key = { ...Object.fromEntries(told), ...parts };
  const fault = kty === 'oct' ? undefined : faultOfNumbers(key);
  return fault === undefined ? { is: 'usable', key } : broken(fault);
}

function faultOfAlgorithm(kty: string, kind: Kind, crv: unknown, alg: unknown): JwkJudgement | undefined {
  let algorithms = kind.algorithms;
  if (!isList(algorithms)) {
    if (typeof crv !== 'string') return broken('has no crv');
    const ofCurve = Object.hasOwn(algorithms, crv) ? algorithms[crv] : undefined;
    if (!ofCurve) return other(`is on a curve that proxies do not know, ${JSON.stringify(crv)}`);
    algorithms = ofCurve;
  }
  if (alg === undefined || algorithms.some((each) => each === alg)) return undefined;
  if (typeof alg === 'string' && !allAlgorithms.has(alg))
    return other(`is for something that proxies do not verify, alg ${JSON.stringify(alg)}`);
  return broken(
    `says alg ${JSON.stringify(alg)}, which a key ${kty}${kty === 'EC' ? ` on ${String(crv)}` : ''} cannot be for`,
  );
}

/** Without padding, and with no bits behind the last octet: the same octets are the same text. */
function octets(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[\w-]+={0,2}$/.test(value)) return undefined;
  const bytes = Buffer.from(value, 'base64url');
  return bytes.length > 0 && value.replace(/=+$/, '').length % 4 !== 1
    ? bytes.toString('base64url')
    : undefined;
}

function faultOfNumbers(key: Readonly<Record<string, string>>): string | undefined {
  const { kty = '', e = '', n = '', crv } = key;
  if (kty === 'RSA' && !exponents.includes(e)) return 'has an exponent e that is neither 65537 nor 3';
  if (kty === 'RSA' && (Buffer.from(n, 'base64url').at(-1) ?? 0) % 2 === 0)
    return 'has a modulus n that is even';
  try {
    const { asymmetricKeyDetails } = createPublicKey({ format: 'jwk', key });
    const bits = asymmetricKeyDetails?.modulusLength ?? modulusBits.least;
    if (bits < modulusBits.least) return `is shorter than ${modulusBits.least} bits`;
    return bits > modulusBits.most ? `is longer than ${modulusBits.most} bits` : undefined;
  } catch {
    return crv === undefined ? 'is no key' : `is no point on ${crv}`;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}

const other = (why: string): JwkJudgement => ({ is: 'other', why });
const broken = (why: string): JwkJudgement => ({ is: 'broken', why });
