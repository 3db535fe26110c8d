import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { SvidVerifier, VerifiedSvid } from '../../../domain/identity/index.ts';
import type { ConnectedProxy, DiscoverySource, Metrics } from '../../../domain/ports/index.ts';
import type { Node } from '../../../gen/envoy/config/core/v3/base.ts';
import { AggregatedDiscoveryServiceService } from '../../../gen/envoy/service/discovery/v3/ads.ts';
import type {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from '../../../gen/envoy/service/discovery/v3/discovery.ts';
import { CitadelError, type Clock, type Log } from '../../../kernel/index.ts';
import type { Connections, GrpcService } from '../listener.ts';
import { failStream } from '../status.ts';
import { endWithSvid, verifyWorkload } from '../workload-stream.ts';
import type { Variant } from './channel.ts';
import { Feed } from './feed.ts';
import type { DiscoveryLimits } from './limits.ts';
import { ProxyStreams } from './proxy-streams.ts';
import { type Request, readDeltaRequest, readSotwRequest } from './request.ts';

export interface DiscoveryServiceOptions {
  readonly source: DiscoverySource;
  readonly verifier: SvidVerifier;
  readonly metrics: Pick<Metrics, 'streams' | 'discoveryPush' | 'discoveryAnswer'>;
  /** Aborted at shutdown: proxies are told to come back, elsewhere perhaps. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: DiscoveryLimits;
}

interface WireRequest {
  readonly node: Node | undefined;
}

/** Responses are encoded by ourselves, so that resources are not encoded again for each stream. */
type Stream<Wire> = ServerDuplexStream<Wire, Buffer>;

const asIs = (frame: Buffer) => frame;
const { streamAggregatedResources, deltaAggregatedResources } = AggregatedDiscoveryServiceService;
const definition = {
  streamAggregatedResources: { ...streamAggregatedResources, responseSerialize: asIs },
  deltaAggregatedResources: { ...deltaAggregatedResources, responseSerialize: asIs },
};

/** How long a stream that was ended may take to tell its client, before the connection is cut. */
const farewell = 2000;

/** `envoy.service.discovery.v3.AggregatedDiscoveryService`: what a proxy should have, for as long as its SVID is valid. */
export function createDiscoveryService(options: DiscoveryServiceOptions): GrpcService {
  const streams = new ProxyStreams(options.limits.streamsPerProxy);
  let connections: Connections | undefined;
  const open = { sotw: 0, delta: 0 };
  const count = (variant: Variant, change: 1 | -1) => {
    open[variant] += change;
    options.metrics.streams(`ads-${variant}`, open[variant]);
  };

  function handle<Wire extends WireRequest>(variant: Variant, read: (wire: Wire) => Request) {
    return (stream: Stream<Wire>): void => {
      count(variant, 1);
      const peer = stream.getPeer();
      const fail = (error: unknown) => {
        failStream(stream, error);
        const timer = setTimeout(() => connections?.cut(peer), farewell);
        stream.once('cancelled', () => clearTimeout(timer));
        stream.once('close', () => clearTimeout(timer));
      };
      serve(stream, { ...options, variant, read, streams, fail })
        .catch(fail)
        .finally(() => count(variant, -1));
    };
  }

  return {
    definition,
    implementation: {
      streamAggregatedResources: handle('sotw', (wire: DiscoveryRequest) =>
        readSotwRequest(wire, options.limits),
      ),
      deltaAggregatedResources: handle('delta', (wire: DeltaDiscoveryRequest) =>
        readDeltaRequest(wire, options.limits),
      ),
    },
    attach: (given) => {
      connections = given;
    },
  };
}

interface Serving<Wire> extends DiscoveryServiceOptions {
  readonly variant: Variant;
  readonly read: (wire: Wire) => Request;
  readonly streams: ProxyStreams;
  readonly fail: (error: unknown) => void;
}

async function serve<Wire extends WireRequest>(stream: Stream<Wire>, serving: Serving<Wire>): Promise<void> {
  const { fail, limits, read, streams, verifier } = serving;
  const ended = new Promise<void>((resolve) => {
    for (const event of ['cancelled', 'close', 'end', 'error']) stream.once(event, () => resolve());
  });
  stream.pause();
  const svid = await verifyWorkload(stream, verifier, 'discovery');
  using cleanup = new DisposableStack();
  cleanup.defer(() => void stream.end());
  cleanup.defer(endWithSvid(svid, serving, fail));
  cleanup.defer(streams.add(svid.issuance.proxyKey, fail));
  const silence = setTimeout(
    () => fail(new CitadelError('DeadlineExceeded', 'no discovery request came; connect again')),
    limits.firstRequest,
  );
  cleanup.defer(() => clearTimeout(silence));
  let feed: Feed | undefined;
  let over = false;
  stream.on('data', (wire: Wire) => {
    if (over) return;
    try {
      clearTimeout(silence);
      const request = read(wire);
      feed ??= openFeed(stream, serving, connectedProxy(svid, wire.node, limits), cleanup);
      feed.receive(request);
    } catch (error) {
      over = true;
      fail(error);
    }
  });
  stream.resume();
  await ended;
  over = true;
}

function openFeed<Wire>(
  stream: Stream<Wire>,
  { fail, limits, log, metrics, source, variant }: Serving<Wire>,
  proxy: ConnectedProxy,
  cleanup: DisposableStack,
): Feed {
  // The source may call back before there is a feed; what it would say is what a first request is answered with.
  let feed: Feed | undefined;
  const discovery = source.open(proxy, () => feed?.pump());
  cleanup.defer(() => discovery.close());
  feed = new Feed({
    variant,
    discovery,
    limits,
    metrics,
    log: log.with({ proxy: proxy.spiffeId, node: proxy.nodeId }),
    write: (frame, written) => void stream.write(frame, (error?: Error | null) => void (error || written())),
    fail,
    now: () => performance.now(),
  });
  const opened = feed;
  cleanup.defer(() => opened.close());
  return feed;
}

/** The node is of the first request: later ones need not carry it, and cannot change it. */
function connectedProxy(
  { issuance, serial, spiffeId }: VerifiedSvid,
  node: Node | undefined,
  { nodeCharacters }: DiscoveryLimits,
): ConnectedProxy {
  const nodeId = node?.id ?? '';
  const nodeMetadata: Readonly<Record<string, unknown>> = node?.metadata ?? {};
  if (nodeId.length + JSON.stringify(nodeMetadata).length > nodeCharacters) {
    const message = `a node's id and metadata may have ${nodeCharacters} characters at most`;
    throw new CitadelError('ResourceExhausted', message);
  }
  return {
    proxyKey: issuance.proxyKey,
    spiffeId: spiffeId.toString(),
    svidSerial: serial,
    nodeId,
    nodeMetadata,
  };
}
