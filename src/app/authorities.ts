import { type AuthorityService, createAuthorityService, jitterOf } from '../domain/authority/index.ts';
import type { ControlPlane } from '../domain/mesh/index.ts';
import type { Metrics, UpstreamAuthority } from '../domain/ports/index.ts';
import { type RevocationService, trustWithCrls } from '../domain/revocation/index.ts';
import type { Rehearsal, RotationService } from '../domain/rotation/index.ts';
import type { BundleSource } from '../domain/trust/index.ts';
import { rehearsalOf } from './rehearsal.ts';
import { crlGate, openRevocations } from './revocation.ts';
import { presentChoice, refusedBundle, rotationOf } from './rotation.ts';
import type { UpstreamOptions } from './upstream.ts';

export interface AuthoritiesOptions extends UpstreamOptions {
  readonly upstream: () => Promise<UpstreamAuthority>;
  /** Opened later: until then no proxy is connected. */
  readonly controlPlane: () => ControlPlane | undefined;
  readonly metrics: Metrics;
}

export interface OpenAuthorities {
  readonly authority: AuthorityService;
  readonly revocations: RevocationService;
  /** What readers trust: the bundle, and what was revoked under it. */
  readonly trust: BundleSource;
  readonly rotation: RotationService;
  readonly rehearsal: Rehearsal;
}

/** The authorities, what was revoked under them, and how their root is rotated. */
export async function openAuthorities(options: AuthoritiesOptions): Promise<OpenAuthorities> {
  const { config, serverId, store, homes, upstream, controlPlane, metrics, clock, log } = options;
  const { issuing } = config.authority;
  const revocations = await openRevocations(options, () => authority.records());
  const authority: AuthorityService = createAuthorityService({
    trustDomain: config.trustDomain.name,
    serverId,
    store: store.authorities,
    choice: () => presentChoice(store.rotations),
    audit: store.audit,
    issuingKeys: homes.issuing,
    upstream,
    issuing: {
      algorithm: issuing.algorithm,
      lifetime: issuing.lifetime,
      // Small against the lifetime, of which rotation counts the part that is left.
      backdate: Math.min(3_600_000, issuing.lifetime / 10),
      rotation: {
        prepareBelow: 1 - issuing.prepareAt,
        activateBelow: 1 - issuing.activateAt,
        jitter: jitterOf,
      },
    },
    crls: crlGate(revocations, {
      store,
      longestLeaf: config.certificate.maximumTtl,
      proxies: () => controlPlane()?.proxies() ?? [],
      clock,
      log,
    }),
    metrics,
    clock,
    log,
  });
  await authority.start();
  await revocations.tick();
  return {
    authority,
    revocations,
    trust: trustWithCrls(authority, revocations),
    rotation: rotationOf(
      options,
      authority,
      (proxyKey) => refusedBundle(controlPlane(), proxyKey),
      () => revocations.status().enforcement.kind !== 'notNeeded',
    ),
    rehearsal: rehearsalOf(options, authority),
  };
}
