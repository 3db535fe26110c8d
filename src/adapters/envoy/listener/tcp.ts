import { Filter } from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { TcpProxy } from '../../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import type { InboundLogs } from '../access-log/loggers.ts';
import { pack } from '../messages/any.ts';
import { duration } from '../messages/values.ts';

/** Bytes to one cluster. @param connectionLifetime undefined: neither age nor silence ends a connection */
export function tcpFilter(
  name: string,
  cluster: string,
  connectionLifetime: number | undefined,
  accessLog?: InboundLogs,
): Filter {
  return Filter.fromPartial({
    name: 'envoy.filters.network.tcp_proxy',
    configType: {
      $case: 'typedConfig',
      value: pack(
        'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
        TcpProxy,
        TcpProxy.fromPartial({
          statPrefix: name,
          clusterSpecifier: { $case: 'cluster', value: cluster },
          ...(connectionLifetime === undefined
            ? { idleTimeout: duration(0) }
            : { maxDownstreamConnectionDuration: duration(connectionLifetime) }),
          ...(accessLog
            ? {
                accessLog: [accessLog.logger],
                accessLogOptions: {
                  // A long connection is told of when it begins.
                  flushAccessLogOnConnected: true,
                  ...(accessLog.period === undefined
                    ? {}
                    : { accessLogFlushInterval: duration(accessLog.period) }),
                },
              }
            : {}),
        }),
      ),
    },
  });
}
