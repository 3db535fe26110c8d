import type { AuthorityService } from '../domain/authority/index.ts';
import { createRotationService, onSchedule, type RotationService } from '../domain/rotation/index.ts';
import { newRoot, type UpstreamOptions } from './upstream.ts';

/** Rotations of the trust root, over the homes that the configuration names. */
export function rotationOf(
  { config, store, homes, clock, entropy, log }: UpstreamOptions,
  authority: AuthorityService,
): RotationService {
  const { backdate, ...defaults } = newRoot(config);
  const rotation = createRotationService({
    trustDomain: config.trustDomain.name,
    store,
    audit: store.audit,
    authority,
    newKeys: homes.root,
    keysOf: homes.rootOf,
    homes: {
      next: config.keys.kind,
      knows: (backend) => backend === config.keys.kind || backend === config.formerKeys?.kind,
    },
    backdate,
    defaults,
    leafTtl: config.certificate.defaultTtl,
    clock,
    entropy,
    log,
  });
  const { at, continue: goesOn } = config.rotation.root;
  return onSchedule({ schedule: { at, continue: goesOn }, rotation, store, clock, log });
}
