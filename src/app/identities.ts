import type { Cluster } from '../adapters/kubernetes/index.ts';
import { type AdoptionService, createAdoptionService } from '../domain/adoption/index.ts';
import type { AuthorityService } from '../domain/authority/index.ts';
import { createSvidVerifier, type SvidVerifier } from '../domain/identity/index.ts';
import {
  createIssuanceService,
  createLeafService,
  type IssuanceService,
  type LeafService,
} from '../domain/issuance/index.ts';
import type { Metrics, Store } from '../domain/ports/index.ts';
import { createRenewalService, type RenewalService, SigningMeter } from '../domain/renewal/index.ts';
import type { RevocationService } from '../domain/revocation/index.ts';
import { createServingCertificateSource, type ServingCertificateSource } from '../domain/serving/index.ts';
import type { Clock, Entropy, Log } from '../kernel/index.ts';
import { createAttestation } from './attestation.ts';
import type { ServerConfig } from './config/index.ts';

export interface IdentitiesOptions {
  readonly config: ServerConfig;
  readonly serverId: string;
  readonly store: Store;
  readonly authority: AuthorityService;
  readonly revocations: Pick<RevocationService, 'isRevoked'>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface OpenIdentities {
  readonly verifier: SvidVerifier;
  readonly leaves: LeafService;
  readonly adoption: AdoptionService;
  readonly renewals: RenewalService;
  readonly issuance: IssuanceService;
  /** The server's own. */
  readonly certificates: ServingCertificateSource;
  close(): Promise<void>;
}

/** Who gets which certificate, and whose is believed. */
export async function openIdentities(options: IdentitiesOptions): Promise<OpenIdentities> {
  const { config, serverId, store, authority, revocations, clusters, metrics, clock, entropy, log } = options;
  const { trustDomain } = config;
  const leaves = createLeafService({ validity: config.certificate, store: store.issuance, clock, entropy });
  const verifier = createSvidVerifier({
    trustDomain: trustDomain.name,
    authorities: () => authority.records(),
    inventory: store.issuance,
    isRevoked: (leaf) => revocations.isRevoked(leaf),
    clock,
  });
  const attestation = await createAttestation(config, { verifier, clusters, clock, log });
  const adoption = createAdoptionService(store.adoption, clock);
  const meter = new SigningMeter(clock);
  const renewals = createRenewalService({ store: store.issuance, authority, meter, metrics, clock });
  await using building = new AsyncDisposableStack();
  building.defer(() => renewals.close());
  await renewals.start();
  const issuance = createIssuanceService({
    identity: { trustDomain, nodeCallers: attestation.nodeCallers },
    leaves,
    attestors: attestation.attestors,
    directory: attestation.directory,
    authority,
    isConnected: (proxyKey) => adoption.isConnected(proxyKey),
    renewals,
    audit: store.audit,
    metrics: meter.measuring(metrics),
    clock,
    log,
  });
  const certificates = await createServingCertificateSource({
    trustDomain,
    names: config.servingNames,
    authority,
    leaves,
    serverId,
    clock,
  });
  const open = building.move();
  return { verifier, leaves, adoption, renewals, issuance, certificates, close: () => open.disposeAsync() };
}
