import {
  createCsrService,
  createGrpcHealth,
  createSyncService,
  type GrpcHealth,
  type GrpcListener,
  startGrpcListener,
} from '../api/grpc/index.ts';
import type { Refusal } from '../api/listen/index.ts';
import type { Metrics } from '../domain/ports/index.ts';
import type { RevocationService } from '../domain/revocation/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import type { BundleSource } from '../domain/trust/index.ts';
import type { Clock, Log } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';
import { accessLogService, discoveryService, type OpenControlPlane } from './control-plane.ts';
import type { OpenIdentities } from './identities.ts';

export interface WorkloadApiOptions {
  readonly config: ServerConfig;
  readonly identities: Pick<OpenIdentities, 'verifier' | 'issuance' | 'renewals' | 'adoption'>;
  readonly certificates: ServingCertificateSource;
  readonly revocations: Pick<RevocationService, 'isRevoked' | 'onRevoked'>;
  readonly trust: BundleSource;
  readonly controlPlane: OpenControlPlane | undefined;
  readonly metrics: Metrics;
  readonly onRefused: (refusal: Refusal) => void;
  /** Closes streams, which have no end of their own. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

export interface WorkloadApi {
  readonly listener: GrpcListener;
  readonly health: GrpcHealth;
}

/** What workloads, their agents and proxies ask for: certificates, trust, and what the control plane knows. */
export async function startWorkloadApi(options: WorkloadApiOptions): Promise<WorkloadApi> {
  const { config, certificates, revocations, trust, controlPlane, metrics, stopping, clock, log } = options;
  const { verifier, issuance, renewals, adoption } = options.identities;
  const health = createGrpcHealth(['istio.v1.auth.IstioCertificateService', 'citadel.v1.AgentService']);
  const streams = { verifier, revocations, metrics, stopping, clock, log };
  const evidence = controlPlane?.evidence;
  const listener = await startGrpcListener({
    address: config.listen.csr,
    certificates,
    services: [
      createCsrService(issuance),
      createSyncService({ ...streams, authority: trust, renewals, adoption, evidence }),
      ...(controlPlane
        ? [await discoveryService(controlPlane.plane, streams), await accessLogService(controlPlane, streams)]
        : []),
    ],
    health,
    limits: config.limits,
    onRefused: options.onRefused,
  });
  return { listener, health };
}
