import type { AppProtocol, OutlierDetection as OutlierSettings } from '../../../domain/mesh/index.ts';
import { CircuitBreakers } from '../../../gen/envoy/config/cluster/v3/circuit_breaker.ts';
import type { Cluster } from '../../../gen/envoy/config/cluster/v3/cluster.ts';
import { OutlierDetection } from '../../../gen/envoy/config/cluster/v3/outlier_detection.ts';
import { HttpProtocolOptions } from '../../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import { pack } from '../messages/any.ts';
import { httpLifetime } from '../messages/lifetime.ts';
import { duration } from '../messages/values.ts';

const most = 4_294_967_295;

/** Envoy's own defaults stop at 1,024; a limit is for an operator to set who knows what the service bears. */
export const unlimited = CircuitBreakers.fromPartial({
  thresholds: [
    {
      maxConnections: most,
      maxPendingRequests: most,
      maxRequests: most,
      maxRetries: most,
      trackRemaining: true,
    },
  ],
});

/** By failures in a row alone: Envoy would compare rates of success as well, which nobody has asked for. */
export function leavingOut(settings: OutlierSettings): OutlierDetection {
  return OutlierDetection.fromPartial({
    consecutive5xx: settings.consecutive5xx,
    interval: duration(settings.interval),
    baseEjectionTime: duration(settings.baseEjectionTime),
    maxEjectionPercent: settings.maxEjectionPercent,
    // Of fewer endpoints than ten, one would already be more than ten percent.
    alwaysEjectOneHost: true,
    enforcingSuccessRate: 0,
  });
}

const httpOptionsKey = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** How requests travel to endpoints; nothing for what is not HTTP. */
export function httpOptions(
  protocol: AppProtocol,
  connectionLifetime: number | undefined,
): Partial<Pick<Cluster, 'typedExtensionProtocolOptions'>> {
  if (protocol === 'tcp') return {};
  const options = HttpProtocolOptions.fromPartial({
    ...(connectionLifetime === undefined
      ? {}
      : {
          commonHttpProtocolOptions: { maxConnectionDuration: httpLifetime(connectionLifetime).connection },
        }),
    upstreamProtocolOptions: {
      $case: 'explicitHttpConfig',
      value: {
        protocolConfig:
          protocol === 'http2'
            ? { $case: 'http2ProtocolOptions', value: {} }
            : { $case: 'httpProtocolOptions', value: {} },
      },
    },
  });
  return {
    typedExtensionProtocolOptions: { [httpOptionsKey]: pack(httpOptionsKey, HttpProtocolOptions, options) },
  };
}

/** As the application itself speaks. */
export const asDownstream: Pick<Cluster, 'typedExtensionProtocolOptions'> = {
  typedExtensionProtocolOptions: {
    [httpOptionsKey]: pack(
      httpOptionsKey,
      HttpProtocolOptions,
      HttpProtocolOptions.fromPartial({
        upstreamProtocolOptions: {
          $case: 'useDownstreamProtocolConfig',
          value: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
        },
      }),
    ),
  },
};
