import type { SqliteStore } from '../adapters/store/sqlite/index.ts';
import type { ConsoleListener } from '../api/console/index.ts';
import type { GrpcListener } from '../api/grpc/index.ts';
import {
  type MonitoringListener,
  type MonitoringOptions,
  startMonitoringListener,
} from '../api/http/index.ts';
import type { WebhookListener } from '../api/webhook/index.ts';
import { signBackup } from '../domain/audit/index.ts';
import type { AuthorityService } from '../domain/authority/index.ts';
import { type IssuanceService, reconcileIntents } from '../domain/issuance/index.ts';
import type { ControlPlane } from '../domain/mesh/index.ts';
import type { PolicyService } from '../domain/policy/index.ts';
import { type Metrics, noMetrics, type Store, type StoreCopier } from '../domain/ports/index.ts';
import type { RevocationService } from '../domain/revocation/index.ts';
import type { Rehearsal, RotationService } from '../domain/rotation/index.ts';
import {
  type Clock,
  type Entropy,
  type Log,
  type Secret,
  silentLog,
  systemClock,
  systemEntropy,
} from '../kernel/index.ts';
import { startCheckpoints } from './audit-checkpoints.ts';
import { openAuthorities } from './authorities.ts';
import { openBackups } from './backup.ts';
import { serveClusterPolicies } from './cluster-policies.ts';
import type { ServerConfig } from './config/index.ts';
import { serveConsole } from './console.ts';
import { type OpenControlPlane, openControlPlane } from './control-plane.ts';
import { createProbes, toHealthCheck } from './health.ts';
import { watchHealth } from './health-watch.ts';
import { openIdentities } from './identities.ts';
import { type KeyHomes, openKeyHomes } from './key-homes.ts';
import { connectClusters, publishBundles } from './kubernetes.ts';
import { runMaintenance } from './maintenance.ts';
import { namedAuthorityProbes } from './named-authority.ts';
import { startOperatorApi } from './operators.ts';
import { recordRefusals } from './refusals.ts';
import { clearRehearsals } from './rehearsal.ts';
import { type RevocationOrders, revocationOrders, servedCrls } from './revocation.ts';
import { rotationHealth } from './rotation.ts';
import { watchRotation } from './rotation-watch.ts';
import { loadServerId } from './server-id.ts';
import { signsElsewhere, takeOverExisting, upstreamOf } from './upstream.ts';
import { startWorkloadApi } from './workload-api.ts';

/** What tests and tools replace; everything else follows from the configuration. */
export interface AppOverrides {
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  readonly log?: Log;
  readonly metrics?: Metrics & MonitoringOptions['registry'];
  readonly store?: Store;
  /** What is used in place of the homes that the configuration names, made of them. */
  readonly homes?: (opened: KeyHomes) => KeyHomes;
}

export interface App {
  readonly serverId: string;
  readonly csr: GrpcListener;
  readonly operator: GrpcListener;
  readonly monitoring: MonitoringListener;
  readonly webhook: WebhookListener | undefined;
  readonly console: ConsoleListener | undefined;
  /** Makes the first operator: for the operator's eyes, once. */
  readonly firstCredential: Secret<string> | undefined;
  readonly authority: AuthorityService;
  readonly rotation: RotationService;
  readonly rehearsal: Rehearsal;
  readonly revocations: RevocationService;
  readonly revocationOrders: RevocationOrders;
  readonly issuance: IssuanceService;
  readonly controlPlane: ControlPlane | undefined;
  readonly policies: PolicyService | undefined;
  readonly store: Store;
  /** Finishes what was begun, then closes everything in the reverse order of its making. */
  stop(): Promise<void>;
}

/** Milliseconds that calls in the making are given at shutdown. */
const shutdownGrace = 10_000;

/**
 * The composition root: nothing else constructs services.
 * @throws CitadelError FailedPrecondition with a line for the operator, when the server cannot start as configured
 */
export async function createApp(config: ServerConfig, overrides: AppOverrides = {}): Promise<App> {
  await using building = new AsyncDisposableStack();
  const clock = overrides.clock ?? systemClock;
  const entropy = overrides.entropy ?? systemEntropy;
  const log = overrides.log ?? silentLog;
  const metrics = overrides.metrics ?? noMetrics;
  const { trustDomain } = config;

  const serverId = await loadServerId(config.dataDirectory, entropy);
  const store: Store & Partial<StoreCopier> = building.adopt(
    overrides.store ?? (await openStore(config, { metrics, clock, log })),
    (opened) => opened.close(),
  );
  const configured = await openKeyHomes(config, { clock, entropy, log });
  const homes = building.adopt(overrides.homes?.(configured) ?? configured, (opened) => opened.close());
  // Before anything is written: a store that is behind what was sworn to is left as it is.
  const checkpoints = building.adopt(
    await startCheckpoints({ config, serverId, store, homes, metrics, clock, entropy, log }),
    (started) => started.close(),
  );
  await reconcileIntents({ store: store.issuance, audit: store.audit, clock, log });

  const upstreamOptions = { config, serverId, store, homes, clock, entropy, log };
  await takeOverExisting(upstreamOptions);
  const { issuing } = config.authority;
  const upstream = upstreamOf(upstreamOptions);
  /** Opened later: until then no proxy is connected. */
  const controlPlaneOf: { current?: OpenControlPlane | undefined } = {};
  const authorities = await openAuthorities({
    ...upstreamOptions,
    upstream,
    controlPlane: () => controlPlaneOf.current?.plane,
    metrics,
  });
  const { authority, revocations, trust, rotation, rehearsal } = authorities;
  const clusters = building.adopt(await connectClusters(config, { clock, entropy, log }), (connected) => {
    for (const cluster of connected.values()) cluster.close();
  });
  const identities = building.adopt(
    await openIdentities({
      config,
      serverId,
      store,
      authority,
      revocations,
      clusters,
      metrics,
      clock,
      entropy,
      log,
    }),
    (opened) => opened.close(),
  );
  const { verifier, leaves, renewals, issuance, certificates } = identities;

  const maintenance = new AbortController();
  const stopping = new AbortController();
  // A process that was killed has marked nobody: a rotation must not take who is away for who is there.
  await store.adoption.markAllDisconnected();
  const onRefused = recordRefusals({ audit: store.audit, clock, log });
  const controlPlane = await openControlPlane(config, {
    authority,
    revocations,
    trust,
    clusters,
    store,
    metrics,
    clock,
    entropy,
    log,
  });
  controlPlaneOf.current = controlPlane;
  if (controlPlane) {
    building.defer(() => controlPlane.plane.close());
    await controlPlane.plane.start();
    await controlPlane.evidence.start();
    building.defer(() => controlPlane.evidence.close());
    await controlPlane.recorder.start();
    building.defer(() => controlPlane.recorder.close());
    controlPlane.observer.start();
    building.defer(() => controlPlane.observer.close());
    controlPlane.denials.start();
    building.defer(() => controlPlane.denials.close());
    controlPlane.enforcement.start();
    building.defer(() => controlPlane.enforcement.close());
  }
  const { listener: csr, health: csrHealth } = await startWorkloadApi({
    config,
    identities,
    certificates,
    revocations,
    trust,
    controlPlane,
    metrics,
    onRefused,
    stopping: stopping.signal,
    clock,
    log,
  });
  building.defer(() => csr.close(shutdownGrace));
  const maintained = runMaintenance({
    authority,
    rotation,
    revocations,
    drains: controlPlane?.drains,
    certificates,
    clock,
    entropy,
    log,
    signal: maintenance.signal,
  });
  const cleared = clearRehearsals(rehearsal, { clock, entropy, log, signal: maintenance.signal });
  const published = publishBundles({
    config,
    clusters,
    authority,
    clock,
    entropy,
    log,
    signal: maintenance.signal,
  });
  building.defer(async () => {
    maintenance.abort();
    await Promise.all([maintained, cleared, published]);
  });
  const clusterPolicies = building.use(
    await serveClusterPolicies({ config, clusters, controlPlane, certificates, onRefused, log }),
  );
  const orders = revocationOrders({
    store,
    authority,
    revocations,
    certificates,
    issuingKeys: homes.issuing,
    clock,
    log,
  });
  const probes = createProbes({
    more: namedAuthorityProbes(upstreamOptions, authority, rotation),
    store,
    authority,
    rotation,
    ...rotationHealth({ config, homes }),
    certificates,
    checkRootKey: async (signal) =>
      (await (signsElsewhere(authority) ? upstream() : homes.root())).check(signal),
    clusters,
    controlPlane,
    checkpoints: checkpoints.service,
    revocationOrders: orders,
    overdueBelow: (1 - issuing.activateAt) * 0.9,
    clock,
  });
  const { copyTo } = store;
  const backup =
    copyTo &&
    (await openBackups({
      config,
      serverId,
      store: { copyTo },
      audit: store.audit,
      sign: (manifest) => signBackup(manifest, checkpoints.service.key, checkpoints.signer),
      clock,
      log,
    }));
  const operatorApi = await startOperatorApi({
    config,
    store,
    authority,
    rotation,
    revocationOrders: orders,
    rehearsal,
    renewals,
    verifier,
    leaves,
    certificates,
    controlPlane,
    checkpoints: checkpoints.service,
    probes,
    backup,
    metrics,
    onRefused,
    clock,
    entropy,
    log,
  });
  building.defer(() => operatorApi.close(shutdownGrace));
  const console = await serveConsole({
    config,
    access: operatorApi.access,
    store,
    certificates,
    controlPlane,
    metrics,
    onRefused,
    clock,
    entropy,
    log,
  });
  building.defer(() => console?.close());
  const monitoring = await startMonitoringListener({
    address: config.listen.metrics,
    registry: overrides.metrics ?? noRegistry,
    livez: [],
    readyz: probes.map((probe) => toHealthCheck(probe)),
    crls: () => servedCrls(authority, revocations),
    log,
  });
  building.defer(() => monitoring.close());
  const health = [csrHealth, operatorApi.health];
  const watched = watchHealth({
    probes,
    health,
    metrics,
    rootKeyHome: signsElsewhere(authority) ? 'vault-pki' : config.keys.kind,
    formerKeyHome: config.formerKeys?.kind,
    clock,
    log,
    signal: stopping.signal,
  });
  const counted = watchRotation({ rotation, metrics, clock, log, signal: stopping.signal });
  building.defer(async () => {
    // Whoever balances by health goes elsewhere, and streams without an end are closed, before calls are waited for.
    stopping.abort();
    for (const each of health) each.setServing(false);
    await Promise.all([watched, counted]);
  });
  log.info('ready', {
    serverId,
    trustDomain: trustDomain.name,
    csrPort: csr.port,
    operatorPort: operatorApi.listener.port,
    metricsPort: monitoring.address.port,
    ...(clusterPolicies ? { webhookPort: clusterPolicies.webhook.port } : {}),
    ...(console ? { console: `${console.origin}/console/` } : {}),
  });

  const running = building.move();
  let stopped: Promise<void> | undefined;
  return {
    serverId,
    csr,
    operator: operatorApi.listener,
    monitoring,
    webhook: clusterPolicies?.webhook,
    console,
    firstCredential: operatorApi.firstCredential,
    authority,
    rotation,
    rehearsal,
    revocations,
    revocationOrders: orders,
    issuance,
    controlPlane: controlPlane?.plane,
    policies: controlPlane?.policies,
    store,
    stop: () => {
      stopped ??= running.disposeAsync();
      return stopped;
    },
  };
}

/** Where nobody counts, /metrics is empty. */
const noRegistry = { contentType: 'text/plain; version=0.0.4', expose: () => Promise.resolve('') };

interface StorePorts {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
}

async function openStore(config: ServerConfig, { metrics, clock, log }: StorePorts): Promise<SqliteStore> {
  const { openSqliteStore } = await import('../adapters/store/sqlite/index.ts');
  const onQueue = (length: number) => metrics.storeQueue(length);
  return openSqliteStore({ file: config.store.value.file, onQueue, clock, log });
}
