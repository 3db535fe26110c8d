import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { SvidVerifier, VerifiedSvid } from '../../../domain/identity/index.ts';
import type { ConnectedProxy, DiscoverySource, Metrics } from '../../../domain/ports/index.ts';
import { AggregatedDiscoveryServiceService } from '../../../gen/envoy/service/discovery/v3/ads.ts';
import { CitadelError, type Clock, isCitadelError, type Log } from '../../../kernel/index.ts';
import { connectedProxy } from '../connected-proxy.ts';
import type { Connections, GrpcService } from '../listener.ts';
import { ProxyStreams } from '../proxy-streams.ts';
import { failStream } from '../status.ts';
import { endWithSvid, type RevocationWatch, streamEnd, verifyWorkload } from '../workload-stream.ts';
import { Feed } from './feed.ts';
import type { DiscoveryLimits } from './limits.ts';
import { DiscoveryMemory } from './memory.ts';
import type { Variant } from './push.ts';
import { type Request, readDeltaRequest, readSotwRequest } from './request.ts';
import { decodeDeltaRequest, decodeNode, decodeSotwRequest, type Wire } from './wire.ts';

export interface DiscoveryServiceOptions {
  readonly source: DiscoverySource;
  readonly verifier: SvidVerifier;
  readonly revocations: RevocationWatch;
  readonly metrics: Pick<Metrics, 'streams' | 'discoveryPush' | 'discoveryAnswer'>;
  /** Aborted at shutdown: proxies are told to come back, elsewhere perhaps. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: DiscoveryLimits;
}

/** Responses are encoded by ourselves, so that resources are not encoded again for each stream. */
type Stream<Message> = ServerDuplexStream<Wire<Message>, Buffer>;

const asIs = (frame: Buffer) => frame;
const { streamAggregatedResources, deltaAggregatedResources } = AggregatedDiscoveryServiceService;
const definition = {
  streamAggregatedResources: {
    ...streamAggregatedResources,
    requestDeserialize: decodeSotwRequest,
    responseSerialize: asIs,
  },
  deltaAggregatedResources: {
    ...deltaAggregatedResources,
    requestDeserialize: decodeDeltaRequest,
    responseSerialize: asIs,
  },
};

/** How long a stream that was ended may take to tell its client, before its connection is cut. */
const farewell = 2000;

/** An Envoy comes back on the same connection, and so with the same certificate, for as long as there is that connection. */
const endsConnection = (error: unknown) => isCitadelError(error, 'Unauthenticated');

/** `envoy.service.discovery.v3.AggregatedDiscoveryService`: what a proxy should have, for as long as its SVID is valid. */
export function createDiscoveryService(options: DiscoveryServiceOptions): GrpcService {
  const streams = new ProxyStreams(options.limits.streamsPerProxy);
  const memory = new DiscoveryMemory(() => performance.now());
  let connections: Connections | undefined;
  const open = { sotw: 0, delta: 0 };
  const count = (variant: Variant, change: 1 | -1) => {
    open[variant] += change;
    options.metrics.streams(`ads-${variant}`, open[variant]);
  };

  function handle<Message>(variant: Variant, read: (message: Message, limits: DiscoveryLimits) => Request) {
    return (stream: Stream<Message>): void => {
      count(variant, 1);
      const peer = stream.getPeer();
      const fail = (error: unknown) => {
        failStream(stream, error);
        const cut = () => connections?.cut(peer);
        const timer = setTimeout(cut, farewell);
        // Its status has been handed over; a moment more, and it has left.
        stream.once('cancelled', () => {
          clearTimeout(timer);
          if (endsConnection(error)) setTimeout(cut, 100);
        });
      };
      serve(stream, { ...options, variant, read, streams, memory, fail })
        .catch(fail)
        .finally(() => count(variant, -1));
    };
  }

  return {
    definition,
    implementation: {
      streamAggregatedResources: handle('sotw', readSotwRequest),
      deltaAggregatedResources: handle('delta', readDeltaRequest),
    },
    attach: (given) => {
      connections = given;
    },
  };
}

interface Serving<Message> extends DiscoveryServiceOptions {
  readonly variant: Variant;
  readonly read: (message: Message, limits: DiscoveryLimits) => Request;
  readonly streams: ProxyStreams;
  readonly memory: DiscoveryMemory;
  readonly fail: (error: unknown) => void;
}

async function serve<Message>(stream: Stream<Message>, serving: Serving<Message>): Promise<void> {
  const { fail, limits, read, streams, verifier } = serving;
  const ended = streamEnd(stream);
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
  stream.on('data', ({ message, node }: Wire<Message>) => {
    if (over) return;
    try {
      clearTimeout(silence);
      const request = read(message, limits);
      feed ??= openFeed(stream, serving, proxyOf(svid, node, limits), cleanup);
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

function openFeed<Message>(
  stream: Stream<Message>,
  { fail, limits, log, memory, metrics, source, variant }: Serving<Message>,
  proxy: ConnectedProxy,
  cleanup: DisposableStack,
): Feed {
  // The source may call back before there is a feed; what it would say is what a first request is answered with.
  let feed: Feed | undefined;
  const discovery = source.open(proxy, () => feed?.pump());
  cleanup.defer(() => discovery.close());
  const remembered = memory.open(proxy);
  cleanup.defer(() => remembered.close());
  feed = new Feed({
    variant,
    discovery,
    limits,
    memory: remembered,
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
function proxyOf(
  svid: VerifiedSvid,
  encoded: Uint8Array | undefined,
  { nodeCharacters }: DiscoveryLimits,
): ConnectedProxy {
  return connectedProxy(svid, encoded && decodeNode(encoded), nodeCharacters);
}
