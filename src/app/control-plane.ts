import { join } from 'node:path';
import type { Cluster } from '../adapters/kubernetes/index.ts';
import type { AccessLogServiceOptions, DiscoveryServiceOptions, GrpcService } from '../api/grpc/index.ts';
import type { AuthorityService } from '../domain/authority/index.ts';
import { createDenials, type Denials } from '../domain/denials/index.ts';
import { createDrainService, type DrainService } from '../domain/draining/index.ts';
import {
  createEnforcementService,
  type EnforcementService,
  StrictOrders,
} from '../domain/enforcement/index.ts';
import { createEvidenceService, type EvidenceService } from '../domain/evidence/index.ts';
import { createKeySets, type KeySets } from '../domain/jwks/index.ts';
import { type ControlPlane, createControlPlane, type MeshSettings } from '../domain/mesh/index.ts';
import {
  createPolicyService,
  createStoredPolicySource,
  formatPolicyProblem,
  type PolicyService,
  readPolicy,
} from '../domain/policy/index.ts';
import type { KeptMeshSource, MeshSource, Metrics, Store } from '../domain/ports/index.ts';
import { createDecisionRecorder, type DecisionRecorder, decisionsIn } from '../domain/records/index.ts';
import type { RevocationService } from '../domain/revocation/index.ts';
import {
  createShadowObserver,
  createShadowService,
  type ShadowObserver,
  type ShadowService,
} from '../domain/shadow/index.ts';
import type { BundleSource } from '../domain/trust/index.ts';
import { CitadelError, type Clock, describeError, type Entropy, type Log } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';

interface Ports {
  readonly clock: Clock;
  readonly log: Log;
}

interface SourcePorts extends Ports {
  readonly clusters: ReadonlyMap<string, Cluster>;
}

interface ControlPlanePorts extends SourcePorts {
  readonly authority: Pick<AuthorityService, 'bundle' | 'records'>;
  readonly revocations: Pick<RevocationService, 'status'>;
  /** Whose bundle proxies may ask for. */
  readonly trust: BundleSource;
  readonly entropy: Entropy;
  readonly metrics: Metrics;
  readonly store: Pick<
    Store,
    | 'policies'
    | 'audit'
    | 'evidence'
    | 'decisions'
    | 'denials'
    | 'shadows'
    | 'enforcement'
    | 'drains'
    | 'issuance'
    | 'adoption'
  >;
}

export interface OpenControlPlane {
  readonly settings: MeshSettings;
  readonly plane: ControlPlane;
  /** The policies that authors keep here; they count like those of the other sources. */
  readonly policies: PolicyService;
  readonly evidence: EvidenceService;
  /** What proxies tell of decisions, for whoever asks what a policy would change. */
  readonly recorder: DecisionRecorder;
  /** What was denied, for whoever asks why. */
  readonly denials: Denials;
  /** What is tried beside these policies. */
  readonly shadow: ShadowService;
  readonly observer: ShadowObserver;
  /** By which workloads are strict whatever PERMISSIVE policies say. */
  readonly orders: StrictOrders;
  readonly enforcement: EnforcementService;
  /** What proxies are told to end, after a taint or a revocation. */
  readonly drains: DrainService;
}

/** The control plane of the configuration; undefined where it asks for none. Nothing of it is loaded then. */
export async function openControlPlane(
  config: ServerConfig,
  { authority, revocations, trust, clusters, store, entropy, metrics, ...ports }: ControlPlanePorts,
): Promise<OpenControlPlane | undefined> {
  const { mesh } = config;
  if (!mesh) return undefined;
  const { createEnvoyRenderer, decisionMarker } = await import('../adapters/envoy/index.ts');
  const stored = createStoredPolicySource(store.policies, ports.clock);
  const settings = meshSettings(config, mesh);
  const orders = new StrictOrders(store.enforcement);
  await orders.load(ports.clock.now());
  const drains = createDrainService({
    store,
    audit: store.audit,
    authorities: () => authority.records(),
    bundleVersion: () => authority.bundle().version,
    revocations: () => revocations.status(),
    ...ports,
  });
  await drains.start();
  const plane = createControlPlane({
    settings,
    // What is kept here comes last: an object of the same name that a cluster or a file describes is theirs.
    sources: [...(await openSources(config.dataDirectory, mesh, { clusters, ...ports })), stored],
    renderer: createEnvoyRenderer(),
    isStrict: (workload) => orders.holds(workload),
    drainGeneration: () => drains.generation(),
    keySets: await openKeySets(config.dataDirectory, mesh, { entropy, metrics, ...ports }),
    authority: trust,
    metrics,
    ...ports,
  });
  drains.onDrain(() => plane.refresh());
  const policies = createPolicyService({
    store: store.policies,
    audit: store.audit,
    clock: ports.clock,
    snapshot: () => plane.snapshot(),
    changed: () => stored.refresh(),
  });
  const evidence = createEvidenceService({ mesh: plane, store: store.evidence, ...ports });
  const recorder = createDecisionRecorder({ mesh: plane, sink: evidence, store: store.decisions, ...ports });
  const observer = createShadowObserver({
    mesh: plane,
    sink: recorder,
    store: store.shadows,
    entropy,
    ...ports,
  });
  const shadow = createShadowService({
    policies,
    store: store.policies,
    audit: store.audit,
    mesh: plane,
    observer,
    evidence,
    clock: ports.clock,
    changed: () => stored.refresh(),
  });
  const enforcement = createEnforcementService({
    mesh: plane,
    evidence,
    orders,
    audit: store.audit,
    metrics,
    entropy,
    ...ports,
  });
  const denials = createDenials({
    mesh: plane,
    sink: observer,
    decidedBy: decisionsIn(plane, decisionMarker(settings)),
    store: store.denials,
    entropy,
    ...ports,
  });
  return {
    settings,
    plane,
    policies,
    evidence,
    recorder,
    denials,
    shadow,
    observer,
    orders,
    enforcement,
    drains,
  };
}

/** What proxies ask, over what the control plane knows; loaded only where there is one. */
export async function discoveryService(
  source: ControlPlane,
  ports: Omit<DiscoveryServiceOptions, 'source' | 'limits'>,
): Promise<GrpcService> {
  const { createDiscoveryService, defaultDiscoveryLimits } = await import('../api/grpc/index.ts');
  return createDiscoveryService({ ...ports, source, limits: defaultDiscoveryLimits });
}

/** What proxies saw of the calls to them. */
export async function accessLogService(
  { denials, plane }: OpenControlPlane,
  ports: Omit<AccessLogServiceOptions, 'sink' | 'readDecision' | 'readShadow' | 'limits'>,
): Promise<GrpcService> {
  const { createAccessLogService, defaultAccessLogLimits } = await import('../api/grpc/index.ts');
  const { recordedDecision, recordedShadow } = await import('../adapters/envoy/index.ts');
  const providers = () => plane.snapshot()?.settings.authorizationProviders.map(({ name }) => name) ?? [];
  return createAccessLogService({
    ...ports,
    sink: denials,
    readDecision: (fields, denied) => recordedDecision(fields, denied, providers()),
    readShadow: recordedShadow,
    limits: defaultAccessLogLimits,
  });
}

type MeshConfig = NonNullable<ServerConfig['mesh']>;

function meshSettings(config: ServerConfig, mesh: MeshConfig): MeshSettings {
  return {
    trustDomain: config.trustDomain.name,
    trustDomainAliases: mesh.trustDomainAliases.map(({ name }) => name),
    rootNamespace: mesh.rootNamespace,
    authorizationProviders: mesh.authorizationProviders.map(({ protocol, ...provider }) => ({
      ...provider,
      kind: protocol,
    })),
    connectionLifetime: mesh.connectionLifetime ?? config.certificate.defaultTtl,
    accessLogSample: mesh.accessLog.sample,
    tls: mesh.tls,
    drainGeneration: 0,
    outlierDetection: mesh.outlierDetection,
  };
}

async function openKeySets(
  dataDirectory: string,
  { jwks }: MeshConfig,
  ports: Ports & Pick<ControlPlanePorts, 'entropy' | 'metrics'>,
): Promise<KeySets> {
  const { createJwksSource, createKeySetArchive } = await import('../adapters/jwks/index.ts');
  return createKeySets({
    source: await createJwksSource(jwks),
    archive: createKeySetArchive(join(dataDirectory, 'jwks')),
    refresh: jwks.refresh,
    ...ports,
  });
}

/** Bytes of what one collection of a source holds: some fifty thousand pods. Writing it holds up all else. */
const largestCollection = 64 * 1024 * 1024;

async function openSources(
  dataDirectory: string,
  { sources }: MeshConfig,
  { clusters, ...ports }: SourcePorts,
): Promise<MeshSource[]> {
  const { createArchive } = await import('../adapters/archive/index.ts');
  const archive = createArchive({
    directory: join(dataDirectory, 'sources'),
    what: 'content of a source',
    largest: largestCollection,
  });
  const opened: KeptMeshSource[] = [];
  if (sources.files) {
    const { createFileSource } = await import('../adapters/registry/index.ts');
    opened.push(createFileSource({ directory: sources.files.directory, archive, ...ports }));
  }
  if (sources.kubernetes) {
    const { clusterDomain } = sources.kubernetes;
    const { createKubernetesMeshSource } = await import('../adapters/kubernetes/mesh/index.ts');
    for (const cluster of clusters.values()) {
      const origin = { source: `kubernetes/${cluster.clusterId}` };
      opened.push(
        createKubernetesMeshSource({
          cluster,
          archive,
          clusterDomain,
          readPolicy(object) {
            const { policy, problems } = readPolicy(object, origin);
            return { policy, problems: problems.map(formatPolicyProblem) };
          },
        }),
      );
    }
  }
  // Of a source that is taken out of the configuration nothing old must come back when it is put in again.
  await archive.retain(new Set(opened.flatMap(({ kept }) => kept))).catch((error: unknown) => {
    ports.log.warn('what earlier sources said cannot be forgotten', { reason: describeError(error) });
  });
  if (opened.length === 0) throw new CitadelError('FailedPrecondition', 'mesh.sources names no source');
  return opened;
}
