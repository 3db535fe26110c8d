import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { AdoptionService, AdoptionSession } from '../../../domain/adoption/index.ts';
import type { AuthorityService } from '../../../domain/authority/index.ts';
import type { SvidVerifier } from '../../../domain/identity/index.ts';
import type { Metrics } from '../../../domain/ports/index.ts';
import type { TrustBundleSnapshot } from '../../../domain/trust/index.ts';
import {
  type AgentServiceServer,
  AgentServiceService,
  type SyncRequest,
  type SyncResponse,
} from '../../../gen/citadel/v1/agent.ts';
import { CitadelError, type Clock, describeError, type Log } from '../../../kernel/index.ts';
import { readCredentials } from '../credentials.ts';
import type { GrpcService } from '../listener.ts';
import { failStream } from '../status.ts';
import { readAgentReport } from './report.ts';

export interface SyncServiceOptions {
  readonly verifier: SvidVerifier;
  readonly authority: Pick<AuthorityService, 'bundle' | 'onBundleChange'>;
  readonly adoption: AdoptionService;
  readonly metrics: Pick<Metrics, 'streams'>;
  /** Aborted at shutdown: agents are told to come back, elsewhere perhaps. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

type SyncStream = ServerDuplexStream<SyncRequest, SyncResponse>;

/** An operator's or a server's own certificate speaks for no proxy. */
const workloadPrincipal = /^(?:kubernetes|development|svid):/;

/** setTimeout's limit; an SVID lives far shorter, and a longer one is closed early and comes back. */
const longestTimer = 2 ** 31 - 1;

/** `citadel.v1.AgentService`: bundles down, adoption up, for as long as the agent's SVID is valid. */
export function createSyncService(options: SyncServiceOptions): GrpcService {
  let open = 0;
  const count = (change: 1 | -1) => {
    open += change;
    options.metrics.streams('sync', open);
  };
  const implementation: AgentServiceServer = {
    sync(stream) {
      count(1);
      serve(stream, options)
        .catch((error: unknown) => failStream(stream, error))
        .finally(() => count(-1));
    },
  };
  return { definition: AgentServiceService, implementation };
}

async function serve(stream: SyncStream, options: SyncServiceOptions): Promise<void> {
  const { adoption, authority, clock, log, stopping, verifier } = options;
  const ended = new Promise<void>((resolve) => {
    stream.once('cancelled', resolve);
    stream.once('close', resolve);
    stream.once('end', resolve);
    stream.once('error', () => resolve());
  });
  stream.pause();
  const [leaf] = readCredentials(stream).clientCertificates ?? [];
  if (!leaf)
    throw new CitadelError('Unauthenticated', 'Sync needs a client certificate: the agent’s own SVID');
  const svid = await verifier.verify(leaf);
  if (!workloadPrincipal.test(svid.issuance.principal)) {
    throw new CitadelError('PermissionDenied', 'Sync is for the agents of workloads');
  }
  const session = adoption.open(svid);
  const send = (bundle: TrustBundleSnapshot) => void stream.write(bundleMessage(bundle));
  const stop = authority.onBundleChange(send);
  const end = (code: 'Unauthenticated' | 'Unavailable', message: string) =>
    failStream(stream, new CitadelError(code, message));
  const onStopping = () => end('Unavailable', 'the server is shutting down; connect again');
  stopping.addEventListener('abort', onStopping, { once: true });
  const expiry = setTimeout(
    () => end('Unauthenticated', 'the SVID of this stream has ended; come back with its successor'),
    Math.min(longestTimer, Math.max(0, svid.notAfter.getTime() - clock.now().getTime())),
  );
  try {
    if (stopping.aborted) onStopping();
    send(authority.bundle());
    receive(stream, session, clock);
    await ended;
  } finally {
    clearTimeout(expiry);
    stopping.removeEventListener('abort', onStopping);
    stop();
    stream.end();
    await session
      .close()
      .catch((error: unknown) =>
        log.warn('a proxy could not be marked disconnected', { cause: describeError(error) }),
      );
  }
}

/** One report is recorded at a time, in order; while it is, the agent is not read from. */
function receive(stream: SyncStream, session: AdoptionSession, clock: Clock): void {
  stream.on('data', (request: SyncRequest) => {
    if (!request.report) return;
    stream.pause();
    Promise.resolve()
      .then(() => request.report && session.report(readAgentReport(request.report, clock.now())))
      .then(() => stream.resume())
      .catch((error: unknown) => failStream(stream, error));
  });
  stream.resume();
}

function bundleMessage(bundle: TrustBundleSnapshot): SyncResponse {
  return {
    bundles: {
      version: bundle.version,
      bundles: [
        {
          trustDomain: bundle.trustDomain,
          x509Authorities: bundle.authorities.map((der) => Buffer.from(der)),
          sequenceNumber: bundle.sequenceNumber,
          refreshHint: 0n,
          version: bundle.version,
        },
      ],
    },
    renewal: undefined,
    reKey: undefined,
  };
}
