import type { AuthorityService } from '../domain/authority/index.ts';
import type { ControlPlane } from '../domain/mesh/index.ts';
import { type RotationStore, secretTypeUrl } from '../domain/ports/index.ts';
import {
  canaryChoice,
  createRotationService,
  onSchedule,
  type RotationService,
} from '../domain/rotation/index.ts';
import type { BundleChoice } from '../domain/trust/index.ts';
import { outsideVerifiers } from './outside-verifiers.ts';
import type { RotationHealthOptions } from './rotation-health.ts';
import { givenRoots, newRoot, type UpstreamOptions } from './upstream.ts';

/** Rotations of the trust root, over the homes that the configuration names. */
export function rotationOf(
  options: UpstreamOptions,
  authority: AuthorityService,
  refusals: (proxyKey: string) => string | undefined,
  isRevoking: () => boolean,
): RotationService {
  const { config, store, homes, clock, entropy, log } = options;
  const { backdate, ...defaults } = newRoot(config);
  const rotation = createRotationService({
    trustDomain: config.trustDomain.name,
    store,
    audit: store.audit,
    authority,
    newKeys: homes.root,
    keysOf: homes.rootOf,
    homes: { next: config.keys.kind, knows: knownHomes(config) },
    backdate,
    given: givenRoots(options),
    defaults,
    outside: outsideVerifiers(config),
    mlDsaAuthorities: config.experimental.mlDsaAuthorities,
    leafTtl: config.certificate.defaultTtl,
    refusals,
    isRevoking,
    clock,
    entropy,
    log,
  });
  const { at, continue: goesOn, canary } = config.rotation.root;
  const schedule = { at, continue: goesOn, ...(canary ? { canary } : {}) };
  return onSchedule({ schedule, rotation, store, clock, log });
}

/** Whether the configuration names the home of a backend. */
function knownHomes({ keys, formerKeys }: UpstreamOptions['config']): (backend: string) => boolean {
  return (backend) => backend === keys.kind || backend === formerKeys?.kind;
}

/** By then every certificate has been replaced twice over, of whoever is still there. */
const longestPhase = ({ certificate }: UpstreamOptions['config']) =>
  Math.max(2 * certificate.maximumTtl, 3_600_000);

/** What the health of rotations is judged by. */
export function rotationHealth({
  config,
  homes,
}: Pick<UpstreamOptions, 'config' | 'homes'>): Pick<RotationHealthOptions, 'longestPhase' | 'formerHome'> {
  const { formerKeys } = config;
  return {
    longestPhase: config.rotation.longestPhase ?? longestPhase(config),
    formerHome: {
      knows: knownHomes(config),
      check: formerKeys && (async (signal) => (await homes.rootOf(formerKeys.kind))?.check(signal)),
    },
  };
}

/** Who is given a staged root: whom the canary of the rotation chose that is under way. */
export async function presentChoice(
  rotations: Pick<RotationStore, 'current'>,
): Promise<BundleChoice | undefined> {
  const present = await rotations.current();
  return present && canaryChoice(present);
}

/** What a proxy says of a bundle that it got from the control plane and refused. */
export function refusedBundle(
  plane: Pick<ControlPlane, 'proxiesOf'> | undefined,
  proxyKey: string,
): string | undefined {
  return plane
    ?.proxiesOf(proxyKey)
    .flatMap(({ resources }) => resources)
    .find(({ typeUrl, error }) => typeUrl === secretTypeUrl && error !== undefined)?.error;
}
