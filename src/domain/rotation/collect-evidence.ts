import type { Clock } from '../../kernel/index.ts';
import { isServersOwn } from '../issuance/index.ts';
import type { Store } from '../ports/index.ts';
import type { RotationEvidence } from './gate.ts';
import { liveProxies } from './standing.ts';

export interface EvidencePorts {
  readonly store: Pick<Store, 'authorities' | 'issuance' | 'adoption'>;
  /** See RotationEvidence. */
  readonly refusals?: (proxyKey: string) => string | undefined;
  readonly clock: Clock;
}

/** Reads, at one moment, all that a rotation is judged by: every valid certificate among it. */
export async function collectEvidence({ store, refusals, clock }: EvidencePorts): Promise<RotationEvidence> {
  const now = clock.now();
  // Before the leaves: of an authority that signs no more by now, each has its intent on record by then. And those in the
  // making before those that are made, so that none is missed for having been finished in between.
  const authorities = await store.authorities.list();
  const pending = await store.issuance.pendingLeaves(now);
  const [leaves, unrecordedUntil, reports, bundles] = await Promise.all([
    store.issuance.liveLeaves(now),
    store.issuance.unrecordedUntil(),
    store.adoption.list(),
    store.authorities.bundleContents(),
  ]);
  const others = leaves.filter((leaf) => !isServersOwn(leaf));
  const proxies = liveProxies(others, reports, now);
  const known = {
    now,
    leaves: others,
    pending: pending.filter((leaf) => !isServersOwn(leaf)),
    unrecordedUntil,
    proxies,
    authorities,
    bundles,
  };
  return refusals ? { ...known, refusals } : known;
}
