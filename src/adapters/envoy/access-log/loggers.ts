import {
  accessLogName,
  accessLogPeriod,
  accessLogTags,
  denialHeader,
  inboundChains,
  serverCluster,
} from '../../../domain/ports/index.ts';
import { AccessLog, type AccessLogFilter } from '../../../gen/envoy/config/accesslog/v3/accesslog.ts';
import { ApiVersion } from '../../../gen/envoy/config/core/v3/config_source.ts';
import { AccessLogType } from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { TcpGrpcAccessLogConfig } from '../../../gen/envoy/extensions/access_loggers/grpc/v3/als.ts';
import type { CustomTag } from '../../../gen/envoy/type/tracing/v3/custom_tag.ts';
import {
  prefix,
  present,
  rbacHttpNamespace,
  rbacNetworkNamespace,
  type ShadowStep,
  shadowDenials,
  shadowKey,
  stringValue,
} from '../authorization/index.ts';
import { pack } from '../messages/any.ts';
import { duration } from '../messages/values.ts';
import { allOf, anyOf, expression, flagged, left, ofType, sampled } from './filters.ts';

/** Milliseconds until the server learns of an entry. */
const flushInterval = 500;
/** Bytes after which a batch goes at once; far below the server's limit of a message. */
const batch = 16_384;

const formats: Readonly<Record<keyof typeof accessLogTags, string>> = {
  chain: '%FILTER_CHAIN_NAME%',
  method: '%REQ(:METHOD)%',
  path: '%PATH(NQ:PATH)%',
  host: '%REQ(:AUTHORITY)%',
  details: '%RESPONSE_CODE_DETAILS%',
  denial: `%RESP(${denialHeader})%`,
};

/**
 * The logger of connections, for requests too: that of requests sends the whole path with its query, the user agent and
 * the referrer, whatever it is told. What is wanted of a request goes along as tags. It is one configuration for all
 * ports, chains and layers, so that Envoy keeps one stream a worker thread.
 */
const typedConfig = pack(
  'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig',
  TcpGrpcAccessLogConfig,
  TcpGrpcAccessLogConfig.fromPartial({
    commonConfig: {
      logName: accessLogName,
      transportApiVersion: ApiVersion.V3,
      bufferFlushInterval: duration(flushInterval),
      bufferSizeBytes: batch,
      grpcService: { targetSpecifier: { $case: 'envoyGrpc', value: { clusterName: serverCluster } } },
      customTags: Object.entries(formats).map(
        ([tag, value]): CustomTag => ({ tag, type: { $case: 'value', value } }),
      ),
    },
  }),
);

function logger(filter: AccessLogFilter): AccessLog {
  return AccessLog.fromPartial({
    name: 'envoy.access_loggers.tcp_grpc',
    filter,
    configType: { $case: 'typedConfig', value: typedConfig },
  });
}

/**
 * An application's own 401 and 403 are `via_upstream`; an external authorizer may deny by any status, and what answers gRPC
 * denies with 200.
 */
export const requestDenied = anyOf(
  flagged('UAEX'),
  expression(
    [
      "(response.code == 401 || response.code == 403) && response.code_details != 'via_upstream'",
      "response.code_details.startsWith('rbac_access_denied')",
      "response.code_details.startsWith('jwt_authn')",
    ].join(' || '),
  ),
);
const connectionDenied = expression(
  "connection.termination_details.startsWith('rbac_access_denied') || connection.termination_details.startsWith('ext_authz')",
);

const {
  DownstreamStart: requestStart,
  DownstreamEnd: requestEnd,
  DownstreamPeriodic: requestGoesOn,
  TcpPeriodic: connectionGoesOn,
  TcpUpstreamConnected: connected,
  TcpConnectionEnd: connectionEnd,
} = AccessLogType;

/** Of what policies that are tried would have denied each is told, whatever became of it. */
const requestShadowDenied = shadowDenied(rbacHttpNamespace, ['path', 'deny', 'allow']);
const connectionShadowDenied = shadowDenied(rbacNetworkNamespace, ['deny', 'allow']);

function shadowDenied(namespace: string, steps: readonly ShadowStep[]): AccessLogFilter {
  return anyOf(
    ...steps.map((step) => left(namespace, shadowKey(step), stringValue(prefix(shadowDenials[step])))),
  );
}

/** Whether any are tried there. */
const requestShadowed = left(rbacHttpNamespace, shadowKey('deny'), present);
const connectionShadowed = left(rbacNetworkNamespace, shadowKey('deny'), present);

/**
 * Requests without a caller's certificate: each at its start, and at its end what came to nothing. At their start nothing
 * has been decided yet, so that of what is tried beside the policies the end tells: each that it would deny, others by
 * sample.
 */
const plaintextRequests = (sample: number) =>
  logger(
    anyOf(
      ofType(requestStart, requestGoesOn),
      requestDenied,
      flagged('UF', 'UH', 'UO', 'NC'),
      allOf(ofType(requestEnd), anyOf(requestShadowDenied, allOf(requestShadowed, sampled(sample)))),
    ),
  );

/**
 * Connections without one: each when the application has it, and at its end what came to nothing. Of what no application
 * took there is no word: it has called nobody, and who scans ports would make an entry of each.
 */
const plaintextConnections = (sample: number) =>
  logger(
    anyOf(
      ofType(connected, connectionGoesOn),
      connectionDenied,
      allOf(ofType(connectionEnd), anyOf(connectionShadowDenied, allOf(connectionShadowed, sampled(sample)))),
      allOf(
        ofType(connectionEnd),
        expression(
          "request.total_size == 0 && response.total_size == 0 && upstream.transport_failure_reason == ''",
        ),
      ),
    ),
  );

/** What no filter chain took, and handshakes that failed: what is known of them, only the listener's log tells. */
const refusedConnections = logger(
  anyOf(
    flagged('NR'),
    // In a plaintext connection that is the inspector's "no TLS", which is no failure.
    expression(
      [
        "connection.transport_failure_reason != ''",
        `!xds.filter_chain_name.endsWith('${inboundChains.plaintext}')`,
        `xds.filter_chain_name != '${inboundChains.refused}'`,
      ].join(' && '),
    ),
  ),
);

/** How a chain logs. */
export interface InboundLogs {
  readonly logger: AccessLog;
  /** Milliseconds between two words of what goes on; undefined: none. */
  readonly period: number | undefined;
}

export function requestLogs(callerKnown: boolean, sample: number): InboundLogs {
  if (!callerKnown) return { logger: plaintextRequests(sample), period: accessLogPeriod };
  return {
    logger: logger(allOf(ofType(requestEnd), anyOf(requestDenied, requestShadowDenied, sampled(sample)))),
    period: undefined,
  };
}

export function connectionLogs(callerKnown: boolean, sample: number): InboundLogs {
  if (!callerKnown) return { logger: plaintextConnections(sample), period: accessLogPeriod };
  return {
    logger: logger(
      allOf(ofType(connectionEnd), anyOf(connectionDenied, connectionShadowDenied, sampled(sample))),
    ),
    period: undefined,
  };
}

export function listenerLogs(): AccessLog[] {
  return [refusedConnections];
}
