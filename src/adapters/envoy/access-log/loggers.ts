import { accessLogName, accessLogTags, inboundChains, serverCluster } from '../../../domain/ports/index.ts';
import { AccessLog, type AccessLogFilter } from '../../../gen/envoy/config/accesslog/v3/accesslog.ts';
import { ApiVersion } from '../../../gen/envoy/config/core/v3/config_source.ts';
import { AccessLogType } from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { TcpGrpcAccessLogConfig } from '../../../gen/envoy/extensions/access_loggers/grpc/v3/als.ts';
import type { CustomTag } from '../../../gen/envoy/type/tracing/v3/custom_tag.ts';
import { pack } from '../messages/any.ts';
import { duration } from '../messages/values.ts';
import { allOf, anyOf, expression, flagged, ofType, sampled } from './filters.ts';

/** Milliseconds until the server learns of an entry. */
const flushInterval = 500;
/** Bytes after which a batch goes at once; far below the server's limit of a message. */
const batch = 16_384;

const formats: Readonly<Record<keyof typeof accessLogTags, string>> = {
  chain: '%FILTER_CHAIN_NAME%',
  method: '%REQ(:METHOD)%',
  path: '%PATH(NQ:PATH)%',
  details: '%RESPONSE_CODE_DETAILS%',
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

/** An application's own 401 and 403 are `via_upstream`; an external authorizer may deny by any status. */
const requestDenied = anyOf(
  flagged('UAEX'),
  expression("(response.code == 401 || response.code == 403) && response.code_details != 'via_upstream'"),
);
const connectionDenied = expression(
  "connection.termination_details.startsWith('rbac_access_denied') || connection.termination_details.startsWith('ext_authz')",
);

const {
  DownstreamStart: requestStart,
  DownstreamEnd: requestEnd,
  TcpUpstreamConnected: connected,
  TcpConnectionEnd: connectionEnd,
} = AccessLogType;

/** Requests without a caller's certificate: each at its start, what is no HTTP at its end, and each denial. */
const plaintextRequests = logger(anyOf(ofType(requestStart), requestDenied, flagged('DPE')));

/** Connections without one: each when the application has it, or when it could not be reached, and each denial. */
const plaintextConnections = logger(
  anyOf(ofType(connected), connectionDenied, flagged('UF', 'UH', 'UO', 'URX', 'NC')),
);

/** What no filter chain took, and handshakes that failed: what is known of them, only the listener's log tells. */
const refusedConnections = logger(
  anyOf(
    flagged('NR'),
    // In a plaintext connection that is the inspector's "no TLS", which is no failure.
    expression(
      `connection.transport_failure_reason != '' && !xds.filter_chain_name.endsWith('${inboundChains.plaintext}')`,
    ),
  ),
);

export function requestLogs(callerKnown: boolean, sample: number): AccessLog[] {
  if (!callerKnown) return [plaintextRequests];
  return [logger(allOf(ofType(requestEnd), anyOf(requestDenied, sampled(sample))))];
}

export function connectionLogs(callerKnown: boolean, sample: number): AccessLog[] {
  if (!callerKnown) return [plaintextConnections];
  return [logger(allOf(ofType(connectionEnd), anyOf(connectionDenied, sampled(sample))))];
}

export function listenerLogs(): AccessLog[] {
  return [refusedConnections];
}
