import { SpiffeId } from '@citadel/spiffe';
import { peerCredentials } from '../adapters/unix-peer/index.ts';
import {
  createGrpcHealth,
  createOperatorService,
  createReflection,
  type GrpcHealth,
  type GrpcListener,
  type OperatorServices,
  startGrpcListener,
  startOperatorSocket,
} from '../api/grpc/index.ts';
import type { Refusal } from '../api/listen/index.ts';
import { type AuthorityService, createTaint } from '../domain/authority/index.ts';
import { mutualTlsStatus } from '../domain/evidence/index.ts';
import type { SvidVerifier } from '../domain/identity/index.ts';
import type { LeafService } from '../domain/issuance/index.ts';
import type { Workload } from '../domain/mesh/index.ts';
import {
  createEnrolment,
  createOperatorAccess,
  ensureFirstOperatorCredential,
  type OperatorAccess,
  operatorPath,
} from '../domain/operators/index.ts';
import type { Metrics, Store } from '../domain/ports/index.ts';
import { exportRecords } from '../domain/records/index.ts';
import type { RenewalService } from '../domain/renewal/index.ts';
import type { Rehearsal, RotationService } from '../domain/rotation/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import { type Clock, type Entropy, type Log, type Secret, version } from '../kernel/index.ts';
import { readCertificateRequest } from '../pki/index.ts';
import type { BackupOrder, BackupService } from './backup.ts';
import type { ServerConfig } from './config/index.ts';
import type { OpenControlPlane } from './control-plane.ts';
import { type Probe, runProbe } from './health.ts';
import type { RevocationOrders } from './revocation.ts';

export interface OperatorApiOptions {
  readonly config: ServerConfig;
  readonly store: Store;
  readonly authority: AuthorityService;
  readonly checkpoints: OperatorServices['checkpoints'];
  readonly rotation: RotationService;
  readonly revocationOrders: RevocationOrders;
  readonly rehearsal: Rehearsal;
  readonly renewals: RenewalService;
  readonly verifier: SvidVerifier;
  readonly leaves: LeafService;
  readonly certificates: ServingCertificateSource;
  readonly controlPlane: OpenControlPlane | undefined;
  readonly probes: readonly Probe[];
  readonly backup: BackupService | undefined;
  readonly metrics: Metrics;
  readonly onRefused: (refusal: Refusal) => void;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface OperatorApi {
  readonly listener: GrpcListener;
  readonly health: GrpcHealth;
  /** Makes the first operator; to be printed once. Undefined once there is one. */
  readonly firstCredential: Secret<string> | undefined;
  /** Who may do what, for the console too. */
  readonly access: OperatorAccess;
  close(graceMilliseconds: number): Promise<void>;
}

/** The operator API over TLS and on the local socket. */
export async function startOperatorApi(options: OperatorApiOptions): Promise<OperatorApi> {
  const { config, store, authority, verifier, backup, metrics, clock, entropy, log } = options;
  const { operators, audit } = store;
  const localUids = [...new Set([0, process.getuid?.() ?? 0])];
  const access = createOperatorAccess({
    authentication: {
      trustDomain: config.trustDomain,
      svidVerifier: verifier,
      tokenVerifier: await tokenVerifier(config, clock),
      localUids,
    },
    operators,
    audit,
    clock,
  });
  const enrol = createEnrolment({
    access,
    operators,
    audit,
    clock,
    issueOperatorCertificate: ({ csr, name }) => issueOperatorCertificate(options, csr, name),
  });
  const startedAt = clock.now();
  const services = {
    access,
    enrol,
    issuance: store.issuance,
    authorities: store.authorities,
    audit,
    adoption: store.adoption,
    discovery: () => options.controlPlane?.plane.proxies() ?? [],
    policies: options.controlPlane?.policies,
    shadow: options.controlPlane?.shadow,
    mutualTls: options.controlPlane && mutualTlsOf(options.controlPlane, clock),
    enforcement: options.controlPlane?.enforcement,
    decisionRecords: options.controlPlane && decisionRecordsOf(options.controlPlane, store),
    denials: options.controlPlane?.denials,
    policyWorld: () => options.controlPlane?.plane.snapshot(),
    policyStatus: () => options.controlPlane?.plane.policies() ?? [],
    policyWarnings: () => options.controlPlane?.plane.policyWarnings() ?? [],
    meshSources: () => options.controlPlane?.plane.sources() ?? [],
    rotation: options.rotation,
    backup: backup && ((order: BackupOrder) => backup.create(order)),
    ...options.revocationOrders,
    checkpoints: options.checkpoints,
    rehearsal: options.rehearsal,
    taint: createTaint({ store: store.authorities, audit, authority, clock, log }),
    isSuperseded: (issuer: string) => authority.isSuperseded(issuer),
    renewals: options.renewals,
    currentBundle: () => authority.bundle(),
    status: async () => ({
      version,
      trustDomain: config.trustDomain.name,
      startedAt,
      findings: await Promise.all(options.probes.map((probe) => runProbe(probe))),
    }),
    metrics,
  };
  const { messageBytes } = config.limits;
  const names = ['citadel.v1.OperatorService'];
  const health = createGrpcHealth(names);
  const listener = await startGrpcListener({
    address: config.listen.operator,
    certificates: options.certificates,
    services: [createOperatorService(services), ...createReflection(['citadel/v1/operator.proto'], names)],
    health,
    limits: config.limits,
    onRefused: options.onRefused,
  });
  try {
    const socket = await startOperatorSocket({
      path: config.listen.operatorSocket,
      peerUid: (connection) => peerCredentials(connection).uid,
      allowedUids: localUids,
      service: (localUid) => createOperatorService(services, { localUid }),
      onRefused: (uid) =>
        audit.append({
          at: clock.now(),
          action: 'operator.connect',
          outcome: 'refused',
          subject: `local:${uid}`,
          proof: 'local-socket',
          target: '',
          reason: 'this user is not served on the local socket',
          details: {},
        }),
      messageBytes,
      log,
    });
    return {
      listener,
      health,
      access,
      firstCredential: await ensureFirstOperatorCredential({ operators, clock, entropy }),
      close: async (grace) => {
        await Promise.all([listener.close(grace), socket.close(grace)]);
      },
    };
  } catch (error) {
    await listener.close(0);
    throw error;
  }
}

function mutualTlsOf(
  { plane, evidence, orders }: OpenControlPlane,
  clock: Clock,
): OperatorServices['mutualTls'] {
  const known = {
    evidence: (workload: string) => evidence.get(workload),
    enforcedBy: (workload: Workload) => orders.orderFor(workload)?.id,
  };
  return (query) => mutualTlsStatus(plane, known, { ...query, now: clock.now() });
}

/** What proxies told of decisions, for whoever asks. */
export function decisionRecordsOf(
  { settings }: OpenControlPlane,
  { decisions }: Pick<Store, 'decisions'>,
): OperatorServices['decisionRecords'] {
  return (query) => exportRecords(decisions, { ...query, sample: settings.accessLogSample });
}

async function tokenVerifier({ operators }: ServerConfig, clock: Clock) {
  if (operators.oidc.length === 0) return undefined;
  const { createTokenVerifier } = await import('../adapters/oidc/index.ts');
  return createTokenVerifier(operators.oidc, clock);
}

async function issueOperatorCertificate(options: OperatorApiOptions, csr: string, name: string) {
  const { config, authority, leaves } = options;
  const lifetime = Math.min(config.operators.certificateLifetime, config.certificate.maximumTtl);
  const request = await readCertificateRequest(csr);
  const { chainPem } = await leaves.sign(authority.issuer(), {
    spki: request.publicKey.spki,
    spiffeId: SpiffeId.parse(`${config.trustDomain.id}${operatorPath(name)}`),
    principal: `operator:${name}`,
    proxyKey: (serial) => `serial:${serial}`,
    requestedSeconds: BigInt(Math.floor(lifetime / 1000)),
  });
  return { chain: chainPem };
}
