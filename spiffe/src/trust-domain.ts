import { SpiffeError } from './errors.ts';
import { checkPath, checkTrustDomain, SCHEME, splitId } from './grammar.ts';

/** The name of a trust domain (SPIFFE-ID 2.1). Only checked names become one. */
export class TrustDomain {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /**
   * Takes a bare name (`example.org`) or a SPIFFE ID, whose path is left out (`spiffe://example.org/web`).
   * @throws SpiffeError naming the rule of SPIFFE-ID 2 to 2.3 that the text breaks.
   */
  static parse(text: string): TrustDomain {
    if (typeof text !== 'string') throw new SpiffeError('id-type', 'a trust domain must be a string');
    if (!text.includes('://')) {
      checkTrustDomain(text);
      return new TrustDomain(text);
    }
    const { name, path } = splitId(text);
    checkTrustDomain(name);
    checkPath(path);
    return new TrustDomain(name);
  }

  /** The SPIFFE ID of the trust domain itself, without a path, as text. */
  get id(): string {
    return SCHEME + this.name;
  }

  equals(other: TrustDomain): boolean {
    return this.name === other.name;
  }

  toString(): string {
    return this.name;
  }

  toJSON(): string {
    return this.name;
  }
}
