import { createHash, type JsonWebKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';
import { refuseSecretMembers } from './jwk.ts';
import { encodePem, parsePem } from './pem.ts';
import type { TrustDomain } from './trust-domain.ts';

/** Most authorities that one bundle may hold, X.509 and JWT together. */
export const MAX_AUTHORITIES = 256;
const MAX_SEQUENCE = 2n ** 64n - 1n;

export interface TrustBundleOptions {
  /** Grows with each change, 0 to 2^64-1 (SPIFFE Trust Domain and Bundle 4.1.1). */
  readonly sequence?: bigint | number | undefined;
  /** How often consumers should look for updates, in seconds (4.1.2). */
  readonly refreshHint?: number | undefined;
  /** Public keys of JWT authorities by key id (JWT-SVID 6.1). */
  readonly jwtAuthorities?: ReadonlyMap<string, JsonWebKey> | undefined;
}

/** The authorities of one trust domain (SPIFFE Trust Domain and Bundle 3). Immutable; a set, ordered by DER. */
export class TrustBundle {
  readonly trustDomain: TrustDomain;
  /** CA certificates, ascending by DER, none twice. */
  readonly x509Authorities: readonly Certificate[];
  readonly jwtAuthorities: ReadonlyMap<string, JsonWebKey>;
  readonly sequence: bigint | undefined;
  /** Seconds. */
  readonly refreshHint: number | undefined;
  #version: string | undefined;

  private constructor(
    trustDomain: TrustDomain,
    authorities: readonly Certificate[],
    options: TrustBundleOptions,
  ) {
    this.trustDomain = trustDomain;
    this.x509Authorities = authorities;
    this.jwtAuthorities = new Map(options.jwtAuthorities);
    for (const key of this.jwtAuthorities.values()) refuseSecretMembers(key);
    this.sequence = checkSequence(options.sequence);
    this.refreshHint = checkRefreshHint(options.refreshHint);
    if (authorities.length + this.jwtAuthorities.size > MAX_AUTHORITIES) throw tooMany();
  }

  /** @param authorities CA certificates, parsed or as DER; doubles count once. */
  static of(
    trustDomain: TrustDomain,
    authorities: readonly (Certificate | Uint8Array)[],
    options: TrustBundleOptions = {},
  ): TrustBundle {
    if (authorities.length > 2 * MAX_AUTHORITIES) throw tooMany();
    const sorted = authorities
      .map((each) => (each instanceof Certificate ? each : Certificate.parse(each)))
      .sort((a, b) => Buffer.compare(a.der, b.der));
    for (const { extensions } of sorted) {
      if (extensions.basicConstraints?.ca !== true) {
        throw new SpiffeError('bundle-authority', 'an authority of the bundle is no CA certificate');
      }
    }
    const unique = sorted.filter((each, i) => i === 0 || sorted[i - 1]?.equals(each) === false);
    return new TrustBundle(trustDomain, unique, options);
  }

  static fromPem(trustDomain: TrustDomain, pem: string, options: TrustBundleOptions = {}): TrustBundle {
    return TrustBundle.of(trustDomain, parsePem(pem, MAX_AUTHORITIES), options);
  }

  /** The same authorities with other numbers beside them. */
  with(options: Pick<TrustBundleOptions, 'sequence' | 'refreshHint'>): TrustBundle {
    const { sequence, refreshHint, jwtAuthorities } = this;
    return new TrustBundle(this.trustDomain, this.x509Authorities, {
      sequence,
      refreshHint,
      jwtAuthorities,
      ...options,
    });
  }

  toPem(): string {
    return encodePem(this.x509Authorities);
  }

  /** DER certificates in a row, the form of the Workload API's `bundle`. */
  toDer(): Buffer {
    return Buffer.concat(this.x509Authorities.map(({ der }) => der));
  }

  /** The authority with this DER is part of the bundle. */
  has(der: Uint8Array): boolean {
    return this.x509Authorities.some((each) => each.der.equals(der));
  }

  /**
   * SHA-256, in hex, over the X.509 authorities' DER in ascending order: two bundles have the same version when they
   * trust the same certificates, whatever their order, sequence or hint. DER says its own length, so no two sets give
   * the same bytes. Computed once.
   */
  contentVersion(): string {
    this.#version ??= createHash('sha256').update(this.toDer()).digest('hex');
    return this.#version;
  }

  /** Equal in everything: authorities, sequence and hint. */
  equals(other: TrustBundle): boolean {
    return (
      this.trustDomain.equals(other.trustDomain) &&
      this.sequence === other.sequence &&
      this.refreshHint === other.refreshHint &&
      this.contentVersion() === other.contentVersion() &&
      isDeepStrictEqual(this.jwtAuthorities, other.jwtAuthorities)
    );
  }
}

function checkSequence(sequence: bigint | number | undefined): bigint | undefined {
  if (sequence === undefined) return undefined;
  if (typeof sequence !== 'bigint' && !Number.isSafeInteger(sequence)) throw badSequence();
  const value = BigInt(sequence);
  if (value < 0n || value > MAX_SEQUENCE) throw badSequence();
  return value;
}

function checkRefreshHint(hint: number | undefined): number | undefined {
  if (hint === undefined || (Number.isSafeInteger(hint) && hint >= 0)) return hint;
  throw new SpiffeError(
    'bundle-refresh-hint',
    'the refresh hint must be a whole number of seconds, not negative',
  );
}

function badSequence(): SpiffeError {
  return new SpiffeError('bundle-sequence', 'the sequence number must be an integer from 0 to 2^64-1');
}

function tooMany(): SpiffeError {
  return new SpiffeError('bundle-size', `a bundle holds at most ${MAX_AUTHORITIES} authorities`);
}
