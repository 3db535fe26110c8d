import type { AccessLog } from '../../../gen/envoy/config/accesslog/v3/accesslog.ts';
import { Filter } from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { TcpProxy } from '../../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import { pack } from '../messages/any.ts';
import { duration } from '../messages/values.ts';

/** Bytes to one cluster. @param connectionLifetime undefined: neither age nor silence ends a connection */
export function tcpFilter(
  name: string,
  cluster: string,
  connectionLifetime: number | undefined,
  accessLog: readonly AccessLog[] = [],
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
          accessLog: [...accessLog],
          // A long connection is told of when it begins.
          ...(accessLog.length === 0 ? {} : { accessLogOptions: { flushAccessLogOnConnected: true } }),
        }),
      ),
    },
  });
}
