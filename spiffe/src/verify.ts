import type { BundleSet } from './bundle-set.ts';
import type { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';
import { findPath } from './path.ts';
import type { SpiffeId } from './spiffe-id.ts';
import { type ChainInput, X509Svid } from './x509-svid.ts';

/** An SVID that an authority of its own trust domain vouches for. */
export interface VerifiedX509Svid {
  readonly id: SpiffeId;
  readonly leaf: Certificate;
  readonly svid: X509Svid;
  /** The path that was found: leaf first, without the authority. */
  readonly path: readonly Certificate[];
  /** The certificate of the bundle at the path's end. */
  readonly authority: Certificate;
  /** The earliest end of validity along the path: until then the verdict holds. */
  readonly validUntil: Date;
}

export interface VerifyOptions {
  readonly now: Date;
}

/**
 * Validates an X.509-SVID by X509-SVID 5. Only authorities of the leaf's own trust domain count (SPIFFE Trust Domain and
 * Bundle 3): an authority of one domain never vouches for a name in another.
 * @throws SpiffeError naming the rule that failed.
 */
export function verifyX509Svid(
  chain: X509Svid | ChainInput,
  bundles: BundleSet,
  { now }: VerifyOptions,
): VerifiedX509Svid {
  if (Number.isNaN(now.getTime())) throw new RangeError('now is not a valid date');
  const svid = chain instanceof X509Svid ? chain : X509Svid.parse(chain);
  const bundle = bundles.get(svid.id.trustDomain);
  if (bundle === undefined)
    throw new SpiffeError('path-bundle', 'there is no bundle for the trust domain of the SVID');
  const { certificates, authority } = findPath(svid.leaf, svid.intermediates, bundle.x509Authorities, now);
  const ends = [...certificates, authority].map(({ fields }) => fields.notAfter.getTime());
  return {
    id: svid.id,
    leaf: svid.leaf,
    svid,
    path: certificates,
    authority,
    validUntil: new Date(Math.min(...ends)),
  };
}
