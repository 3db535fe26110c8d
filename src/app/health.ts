import type { Cluster } from '../adapters/kubernetes/index.ts';
import type { HealthCheck } from '../api/http/index.ts';
import type { CheckpointService } from '../domain/audit/index.ts';
import type { AuthorityService } from '../domain/authority/index.ts';
import type { Store } from '../domain/ports/index.ts';
import type { RotationService } from '../domain/rotation/index.ts';
import type { ServingCertificateSource } from '../domain/serving/index.ts';
import { CitadelError, type Clock, describeError, isCitadelError } from '../kernel/index.ts';
import { checkpointProbes } from './audit-health.ts';
import { type MeshParts, meshProbes } from './mesh-health.ts';
import type { RevocationOrders } from './revocation.ts';
import { revocationProbe } from './revocation-health.ts';
import { type RotationHealthOptions, rotationProbes } from './rotation-health.ts';

/** One thing that is looked at, by /readyz and by `citadel check` alike. */
export interface Probe {
  readonly name: string;
  /** Why it matters, for who reads the finding. */
  readonly why: string;
  /** The command or place that mends it. */
  readonly mend: string;
  /** Whether callers should go elsewhere when it fails; otherwise a failure is a warning. */
  readonly essential: boolean;
  /** Resolves with a warning, or with nothing when all is well; rejects when it is not. */
  readonly run: (signal: AbortSignal) => Promise<string | undefined>;
}

export interface HealthOptions extends RotationHealthOptions {
  readonly store: Store;
  readonly authority: AuthorityService;
  readonly rotation: Pick<RotationService, 'current' | 'status'>;
  readonly certificates: ServingCertificateSource;
  /** Rejects where the home of the root's key, or the upstream in its place, could not sign. */
  readonly checkRootKey: (signal: AbortSignal) => Promise<void>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly controlPlane: MeshParts | undefined;
  readonly checkpoints: Pick<CheckpointService, 'states'>;
  readonly revocationOrders: Pick<RevocationOrders, 'revocations'>;
  /** Part of an issuing authority's lifetime below which its successor is overdue. */
  readonly overdueBelow: number;
  /** Of what only the composition knows. */
  readonly more: readonly Probe[];
  readonly clock: Clock;
}

/** The probe whose result is the state of the home of the root's key. */
export const rootKeyProbe = 'root-key';

export function createProbes(options: HealthOptions): readonly Probe[] {
  const { store, authority, certificates, checkRootKey, clusters, clock } = options;
  return [
    {
      name: 'store',
      why: 'nothing is issued that cannot be recorded',
      mend: 'free space on the disk of dataDirectory, or restore the store from a backup',
      essential: true,
      run: async () => {
        await store.check();
        return undefined;
      },
    },
    {
      name: 'issuing-authority',
      why: 'without it no certificate is issued, and those out there end one by one',
      mend: 'see root-key: the next issuing authority is signed by its home',
      essential: true,
      run: async () => {
        const { id, notAfter, notBefore } = authority.issuer().record;
        const left = notAfter.getTime() - clock.now().getTime();
        const overdue = left / (notAfter.getTime() - notBefore.getTime()) < options.overdueBelow;
        if (overdue) return `its successor is overdue; issuing ends at ${notAfter.toISOString()}`;
        // As it is stored now: a taint may have come since it began to sign.
        const tainted = authority.records().some((record) => record.id === id && record.tainted);
        return tainted ? `${id} is tainted and goes on signing: no other one signs yet` : undefined;
      },
    },
    {
      name: rootKeyProbe,
      why: 'issuing goes on without it until the issuing authority ends, which it cannot outlive',
      mend: 'unseal or reconnect the home of the root key, or give the disk back',
      essential: false,
      run: async (signal) => {
        await checkRootKey(signal);
        return undefined;
      },
    },
    {
      name: 'serving-certificate',
      why: 'callers refuse the server without it',
      mend: 'it renews by itself while the issuing authority is well',
      essential: true,
      run: async () => {
        if (certificates.current().notAfter > clock.now()) return undefined;
        throw new CitadelError('FailedPrecondition', 'the serving certificate has ended');
      },
    },
    ...[...clusters.values()].map(
      (cluster): Probe => ({
        name: `cluster-${cluster.clusterId}`,
        why: 'tokens of this cluster cannot be reviewed while its API server is away',
        mend: 'look at the kubeconfig and at the API server',
        essential: false,
        run: async (signal) => {
          await cluster.ping(signal);
          return undefined;
        },
      }),
    ),
    ...checkpointProbes(options.checkpoints),
    ...options.more,
    ...rotationProbes(authority, options.rotation, options),
    revocationProbe(options.revocationOrders),
    ...(options.controlPlane ? meshProbes(options.controlPlane, clock) : []),
  ];
}

/** For /readyz: a failure of what is not essential is a warning. */
export function toHealthCheck({ name, essential, run }: Probe): HealthCheck {
  return {
    name,
    check: async (signal) => {
      try {
        const warning = await run(signal);
        return warning === undefined ? undefined : { warning };
      } catch (error) {
        if (essential) throw error;
        return { warning: publicMessage(error) };
      }
    },
  };
}

const probeDeadline = 2_000;

export interface ProbeFinding {
  readonly name: string;
  readonly severity: 'ok' | 'warning' | 'broken';
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

/** For `citadel check`: what, why it matters, what mends it. */
export async function runProbe({ name, why, mend, essential, run }: Probe): Promise<ProbeFinding> {
  try {
    const warning = await run(AbortSignal.timeout(probeDeadline));
    if (warning === undefined) return { name, severity: 'ok', what: 'is well', why, mend: '' };
    return { name, severity: 'warning', what: warning, why, mend };
  } catch (error) {
    return { name, severity: essential ? 'broken' : 'warning', what: publicMessage(error), why, mend };
  }
}

function publicMessage(error: unknown): string {
  return isCitadelError(error) ? describeError(error) : 'did not answer; the server log has the cause';
}
