import { TrustBundle, TrustDomain } from '@citadel/spiffe';
import { toPem } from '../../pki/index.ts';
import type { AuthorityRecord, AuthorityStore } from '../ports/index.ts';
import type { BundleChoice, BundleReader, TrustBundleSnapshot } from '../trust/index.ts';
import { bundleRoots, stagedRoots } from './decide.ts';

/** The bundles at one moment: of all, and of those who are chosen to have the staged roots besides. */
export interface Bundles {
  readonly everyones: TrustBundleSnapshot;
  readonly chosen:
    | { readonly bundle: TrustBundleSnapshot; readonly choice: BundleChoice | undefined }
    | undefined;
}

export interface BundlePorts {
  readonly trustDomain: string;
  readonly store: Pick<AuthorityStore, 'noteBundleContent'>;
  /** Asked only while a root is staged. Absent, or undefined: nobody is chosen, and it is kept from all. */
  readonly choice?: () => Promise<BundleChoice | undefined>;
}

/** Works out the bundles from what is stored of authorities, and notes what they stand for. */
export async function readBundles(
  records: readonly AuthorityRecord[],
  { trustDomain, store, choice }: BundlePorts,
): Promise<Bundles> {
  const all = describe(bundleRoots(records), trustDomain);
  const staged = stagedRoots(records);
  const more = staged.length > 0 ? describe([...bundleRoots(records), ...staged], trustDomain) : undefined;
  const sequenceNumber = await store.noteBundleContent(
    all.content.version,
    all.fingerprints,
    more && { contentVersion: more.content.version, roots: more.fingerprints },
  );
  return {
    everyones: { ...all.content, sequenceNumber },
    chosen: more && { bundle: { ...more.content, sequenceNumber }, choice: await choice?.() },
  };
}

export function bundleFor({ everyones, chosen }: Bundles, reader: BundleReader): TrustBundleSnapshot {
  return chosen?.choice?.isChosen(reader) ? chosen.bundle : everyones;
}

/** Whether somebody may be given another bundle than before. */
export function sameBundles(a: Bundles, b: Bundles): boolean {
  return (
    a.everyones.version === b.everyones.version &&
    a.chosen?.bundle.version === b.chosen?.bundle.version &&
    a.chosen?.choice?.id === b.chosen?.choice?.id
  );
}

function describe(roots: readonly AuthorityRecord[], trustDomain: string) {
  const authorities = roots.map(({ certificate }) => certificate);
  return {
    content: {
      trustDomain,
      authorities,
      version: TrustBundle.of(TrustDomain.parse(trustDomain), authorities).contentVersion(),
      pem: authorities.map((der) => toPem(der)).join(''),
    },
    fingerprints: roots.map(({ fingerprint }) => fingerprint),
  };
}
