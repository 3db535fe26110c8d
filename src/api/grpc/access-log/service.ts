import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import type { SvidVerifier, VerifiedSvid } from '../../../domain/identity/index.ts';
import {
  type AccessLogEntry,
  type AccessLogSession,
  type AccessLogSink,
  accessLogName,
  type DecisionReader,
  type Metrics,
  type ShadowReader,
} from '../../../domain/ports/index.ts';
import type { AccessLogCommon } from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import {
  AccessLogServiceService,
  type StreamAccessLogsMessage,
  type StreamAccessLogsResponse,
} from '../../../gen/envoy/service/accesslog/v3/als.ts';
import { CitadelError, type Clock, isCitadelError, type Log } from '../../../kernel/index.ts';
import { createRateLimiter } from '../../listen/index.ts';
import { connectedProxy } from '../connected-proxy.ts';
import type { Connections, GrpcService } from '../listener.ts';
import { ProxyStreams } from '../proxy-streams.ts';
import { failStream } from '../status.ts';
import { endWithSvid, type RevocationWatch, streamEnd, verifyWorkload } from '../workload-stream.ts';
import { readEntry } from './entry.ts';
import type { AccessLogLimits } from './limits.ts';

export interface AccessLogServiceOptions {
  readonly sink: AccessLogSink;
  readonly readDecision: DecisionReader;
  readonly readShadow: ShadowReader;
  readonly verifier: SvidVerifier;
  readonly revocations: RevocationWatch;
  readonly metrics: Pick<Metrics, 'streams' | 'accessLogRefused'>;
  /** Aborted at shutdown: proxies are told to come back, elsewhere perhaps. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: AccessLogLimits;
}

type Stream = ServerReadableStream<StreamAccessLogsMessage, StreamAccessLogsResponse>;

/** `envoy.service.accesslog.v3.AccessLogService`: what proxies saw of the calls to their own workloads. */
export function createAccessLogService(options: AccessLogServiceOptions): GrpcService {
  const { limits } = options;
  const streams = new ProxyStreams(limits.streamsPerProxy);
  const rates = createRateLimiter({
    perSecond: limits.entriesPerSecond,
    burst: limits.entriesBurst,
    keys: 16_384,
  });
  let connections: Connections | undefined;
  let open = 0;
  const count = (change: 1 | -1) => {
    open += change;
    options.metrics.streams('access-log', open);
  };
  return {
    definition: AccessLogServiceService,
    implementation: {
      streamAccessLogs(stream: Stream, reply: sendUnaryData<StreamAccessLogsResponse>) {
        count(1);
        const peer = stream.getPeer();
        let over = false;
        const fail = (error: unknown) => {
          if (over) return;
          over = true;
          failStream(stream, error);
          // A connection whose certificate has ended can open no other stream: its client has to make a new one.
          if (error instanceof CitadelError && error.code === 'Unauthenticated')
            setTimeout(() => connections?.cut(peer), farewell);
        };
        const done = () => {
          if (over) return;
          over = true;
          reply(null, {});
        };
        serve(stream, { ...options, streams, rates, fail, done })
          .catch(fail)
          .finally(() => count(-1));
      },
    },
    attach: (given) => {
      connections = given;
    },
  };
}

/** Milliseconds for a stream's status to leave. */
const farewell = 100;

interface Serving extends AccessLogServiceOptions {
  readonly streams: ProxyStreams;
  readonly rates: ReturnType<typeof createRateLimiter>;
  readonly fail: (error: unknown) => void;
  readonly done: () => void;
}

async function serve(stream: Stream, serving: Serving): Promise<void> {
  const { fail, done, limits, log, metrics, streams, verifier } = serving;
  const ended = streamEnd(stream);
  stream.pause();
  const svid = await verifyWorkload(stream, verifier, 'the access log service');
  using cleanup = new DisposableStack();
  let session: AccessLogSession | undefined;
  cleanup.defer(() => session?.close());
  cleanup.defer(endWithSvid(svid, serving, fail));
  cleanup.defer(streams.add(svid.issuance.proxyKey, fail));
  const silence = setTimeout(
    () => fail(new CitadelError('DeadlineExceeded', 'no access log entries came; connect again')),
    limits.firstMessage,
  );
  cleanup.defer(() => clearTimeout(silence));
  let over = false;
  /** Once a stream: a proxy that lies must not fill the log. */
  let told = false;
  stream.on('data', (message: StreamAccessLogsMessage) => {
    if (over) return;
    try {
      clearTimeout(silence);
      session ??= openSession(svid, message, serving);
      const { entries, refused } = readMessage(message, session.workload, svid.issuance.proxyKey, serving);
      session.record(entries);
      for (const [reason, count] of refused) {
        session.refuse(count, reason);
        metrics.accessLogRefused(count);
        if (!told) log.warn('entries of an access log are refused', { workload: session.workload, reason });
        told = true;
      }
    } catch (error) {
      over = true;
      fail(error);
    }
  });
  stream.resume();
  await ended;
  over = true;
  done();
}

/** Who it is, is of the first message: later ones need not say it, and cannot change it. */
function openSession(
  svid: VerifiedSvid,
  { identifier }: StreamAccessLogsMessage,
  { limits, sink }: Serving,
): AccessLogSession {
  if (identifier?.logName !== accessLogName)
    throw new CitadelError(
      'InvalidArgument',
      `the access log must be ${accessLogName}, and its first message say so`,
    );
  return sink.open(connectedProxy(svid, identifier.node, limits.nodeCharacters));
}

/** One that is broken takes no other with it. */
function readMessage(
  { logEntries }: StreamAccessLogsMessage,
  workload: string,
  proxyKey: string,
  { clock, limits, rates, readDecision, readShadow }: Serving,
) {
  // The logger of requests is not what proxies are given: it would bring queries, user agents and referrers.
  if (logEntries?.$case !== 'tcpLogs')
    throw new CitadelError('InvalidArgument', 'access log entries must be those of connections');
  const entries: readonly { readonly commonProperties: AccessLogCommon | undefined }[] =
    logEntries.value.logEntry;
  if (entries.length > limits.entriesPerMessage)
    throw new CitadelError(
      'ResourceExhausted',
      `a message may have ${limits.entriesPerMessage} entries at most`,
    );
  const context = {
    workload,
    textCharacters: limits.textCharacters,
    now: clock.now(),
    readDecision,
    readShadow,
  };
  const read: AccessLogEntry[] = [];
  const refused = new Map<string, number>();
  for (const { commonProperties } of entries) {
    if (!rates.take(proxyKey, performance.now()))
      throw new CitadelError('ResourceExhausted', 'too many access log entries; connect again later');
    try {
      read.push(readEntry(commonProperties, context));
    } catch (error) {
      if (!isCitadelError(error, 'InvalidArgument')) throw error;
      refused.set(error.message, (refused.get(error.message) ?? 0) + 1);
    }
  }
  return { entries: read, refused };
}
