import { SpiffeError, type SpiffeRule } from './errors.ts';
import { checkLength, checkPath, checkSegment, splitId } from './grammar.ts';
import { TrustDomain } from './trust-domain.ts';

// Nearly all IDs that a process reads are of one trust domain: the last one is kept, so that it is made once.
let recent: TrustDomain | undefined;

/** A SPIFFE ID (SPIFFE-ID 2). Only checked text becomes one, so its text is its canonical form and its identity. */
export class SpiffeId {
  readonly trustDomain: TrustDomain;
  /** '' or '/' and the segments. */
  readonly path: string;
  readonly #text: string;

  private constructor(trustDomain: TrustDomain, path: string, text: string) {
    this.trustDomain = trustDomain;
    this.path = path;
    this.#text = text;
  }

  /**
   * The strict parser. SPIFFE-ID 2.4 calls scheme and trust domain case-insensitive, 2.1 asks for lower case: text that
   * is not already in lower case is refused, so that two texts are one ID only when they are equal byte for byte.
   * @throws SpiffeError naming the rule that the text breaks.
   */
  static parse(text: string): SpiffeId {
    const { name, path } = splitId(text);
    if (recent?.name !== name) recent = TrustDomain.parse(name);
    checkPath(path);
    return new SpiffeId(recent, path, text);
  }

  /** Builds `spiffe://<trustDomain>/<segment>/...`; a segment with a '/' in it is refused, not split. */
  static of(trustDomain: TrustDomain, ...segments: readonly string[]): SpiffeId {
    for (const segment of segments) checkSegment(segment);
    const path = segments.length === 0 ? '' : `/${segments.join('/')}`;
    const text = trustDomain.id + path;
    checkLength(text);
    return new SpiffeId(trustDomain, path, text);
  }

  memberOf(trustDomain: TrustDomain): boolean {
    return this.trustDomain.name === trustDomain.name;
  }

  equals(other: SpiffeId): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/**
 * `spiffe://<trustDomain>/ns/<namespace>/sa/<serviceAccount>`, the convention of Kubernetes workloads (SPIFFE-ID 2.2).
 * The names are held to Kubernetes' own rules: a namespace is a DNS label of at most 63 bytes, a service account a DNS
 * subdomain of at most 253.
 */
export function forWorkload(trustDomain: TrustDomain, namespace: string, serviceAccount: string): SpiffeId {
  checkName('workload-namespace', 'namespace', label, 63, namespace);
  checkName('workload-service-account', 'service account', subdomain, 253, serviceAccount);
  return SpiffeId.of(trustDomain, 'ns', namespace, 'sa', serviceAccount);
}

function checkName(rule: SpiffeRule, what: string, pattern: RegExp, limit: number, name: string): void {
  // The length comes first: it bounds the work that the pattern can do.
  if (typeof name === 'string' && name.length <= limit && pattern.test(name)) return;
  throw new SpiffeError(rule, `the ${what} is not a valid Kubernetes name of at most ${limit} bytes`);
}
