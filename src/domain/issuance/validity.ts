import { CitadelError, formatDuration } from '../../kernel/index.ts';

/** All in milliseconds. */
export interface ValidityPolicy {
  readonly defaultTtl: number;
  readonly maximumTtl: number;
  /** How far NotBefore lies in the past, for callers whose clocks are slow. */
  readonly notBeforeSkew: number;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A leaf that would end sooner than this is of no use: the caller would renew at once, and again. */
const shortestUsefulLife = 10_000;

/**
 * Decides a leaf's validity, to the second (RFC 5280, section 4.1.2.5, has no fractions).
 * @param requestedSeconds zero asks for the default
 * @param chainNotAfter when the first certificate of the chain above the leaf ends
 * @throws CitadelError InvalidArgument when the caller asked for a TTL out of range, Unavailable when the issuing
 *   authority is about to end
 */
export function decideValidity(
  requestedSeconds: bigint,
  chainNotAfter: Date,
  now: Date,
  policy: ValidityPolicy,
): Validity {
  const ttl = decideTtl(requestedSeconds, policy);
  const notBefore = toSeconds(now.getTime() - policy.notBeforeSkew);
  const notAfter = toSeconds(Math.min(now.getTime() + ttl, chainNotAfter.getTime()));
  if (notAfter - now.getTime() < shortestUsefulLife) {
    throw new CitadelError('Unavailable', 'the issuing authority is about to end; try again later', {
      details: `the chain ends at ${chainNotAfter.toISOString()}`,
    });
  }
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

function decideTtl(requestedSeconds: bigint, policy: ValidityPolicy): number {
  if (requestedSeconds === 0n) return policy.defaultTtl;
  if (requestedSeconds < 0n)
    throw new CitadelError('InvalidArgument', 'validity_duration must not be negative');
  if (requestedSeconds * 1000n > BigInt(policy.maximumTtl)) {
    throw new CitadelError(
      'InvalidArgument',
      `validity_duration is above the maximum of ${formatDuration(policy.maximumTtl)} (${policy.maximumTtl / 1000} seconds)`,
    );
  }
  return Number(requestedSeconds) * 1000;
}

function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}
