import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { AdoptionService } from '../../../domain/adoption/index.ts';
import type { EvidenceService } from '../../../domain/evidence/index.ts';
import type { SvidVerifier } from '../../../domain/identity/index.ts';
import type { Metrics } from '../../../domain/ports/index.ts';
import { heldLeaf, type RenewalService } from '../../../domain/renewal/index.ts';
import type { BundleSource, TrustBundleSnapshot } from '../../../domain/trust/index.ts';
import {
  type AgentServiceServer,
  AgentServiceService,
  type SyncRequest,
  type SyncResponse,
} from '../../../gen/citadel/v1/agent.ts';
import { type Clock, describeError, type Log } from '../../../kernel/index.ts';
import type { GrpcService } from '../listener.ts';
import { failStream } from '../status.ts';
import { endWithSvid, type RevocationWatch, streamEnd, verifyWorkload } from '../workload-stream.ts';
import { readAgentReport, readEnvoyReport, readHandshakeReport } from './report.ts';

export interface SyncServiceOptions {
  readonly verifier: SvidVerifier;
  readonly revocations: RevocationWatch;
  readonly authority: BundleSource;
  readonly renewals: Pick<RenewalService, 'watch'>;
  readonly adoption: AdoptionService;
  /** Told what the proxies’ counters say; absent where there is no control plane. */
  readonly evidence: Pick<EvidenceService, 'report'> | undefined;
  readonly metrics: Pick<Metrics, 'streams'>;
  /** Aborted at shutdown: agents are told to come back, elsewhere perhaps. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

type SyncStream = ServerDuplexStream<SyncRequest, SyncResponse>;

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
  const { adoption, authority, clock, log, renewals, verifier } = options;
  const ended = streamEnd(stream);
  stream.pause();
  const svid = await verifyWorkload(stream, verifier, 'Sync');
  const session = adoption.open(svid);
  const { proxyKey } = svid.issuance;
  const reader = { proxyKey, spiffeId: svid.spiffeId.toString() };
  const send = bundleSender(stream, () => authority.bundleFor(reader));
  const stop = authority.onBundleChange(send);
  const release = endWithSvid(svid, options, (error, why) => {
    // Its holder comes for a new certificate at once; who stole it cannot prove who he is.
    if (why === 'revoked') stream.write(message({ reKey: { reason: 'the certificate is revoked' } }));
    failStream(stream, error);
  });
  let forget = () => {};
  try {
    send();
    forget = renewals.watch(heldLeaf(svid.issuance), {
      window: (renewal) => void stream.write(message({ renewal })),
      reKey: () => void stream.write(message({ reKey: { reason: tainted } })),
    });
    receive(stream, async ({ envoy, report }) => {
      if (envoy) {
        options.evidence?.report(proxyKey, readEnvoyReport(envoy, clock.now()));
        const handshakes = readHandshakeReport(envoy, clock.now());
        if (handshakes) await session.handshakes(handshakes);
      }
      if (report) await session.report(readAgentReport(report, clock.now()));
    });
    await ended;
  } finally {
    release();
    forget();
    stop();
    stream.end();
    await session
      .close()
      .catch((error: unknown) =>
        log.warn('a proxy could not be marked disconnected', { cause: describeError(error) }),
      );
  }
}

/** An agent that does not read is owed one bundle, the newest, however often it changes meanwhile. @returns sends what is new */
function bundleSender(stream: SyncStream, present: () => TrustBundleSnapshot): () => void {
  let sent: string | undefined;
  let underWay = false;
  return function send() {
    if (underWay) return;
    const bundle = present();
    const version = `${bundle.version} ${bundle.crls?.version ?? ''}`;
    if (version === sent) return;
    sent = version;
    underWay = true;
    stream.write(bundleMessage(bundle), (error?: Error | null) => {
      underWay = false;
      if (!error) send();
    });
  };
}

/** One report is recorded at a time, in order; while it is, the agent is not read from. */
function receive(stream: SyncStream, take: (request: SyncRequest) => Promise<void>): void {
  stream.on('data', (request: SyncRequest) => {
    stream.pause();
    take(request)
      .then(() => stream.resume())
      .catch((error: unknown) => failStream(stream, error));
  });
  stream.resume();
}

const tainted = 'the issuing authority of the certificate is tainted';

function bundleMessage(bundle: TrustBundleSnapshot): SyncResponse {
  return message({
    bundles: {
      version: bundle.version,
      bundles: [
        {
          trustDomain: bundle.trustDomain,
          x509Authorities: bundle.authorities.map((der) => Buffer.from(der)),
          sequenceNumber: bundle.sequenceNumber,
          refreshHint: 0n,
          version: bundle.version,
          crls: (bundle.crls?.crls ?? []).map((der) => Buffer.from(der)),
          crlVersion: bundle.crls?.version ?? '',
        },
      ],
    },
  });
}

function message(part: Partial<SyncResponse>): SyncResponse {
  return { bundles: undefined, renewal: undefined, reKey: undefined, ...part };
}
