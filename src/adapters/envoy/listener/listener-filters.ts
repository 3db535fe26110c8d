import {
  ListenerFilter,
  ListenerFilterChainMatchPredicate,
} from '../../../gen/envoy/config/listener/v3/listener_components.ts';
import { HttpInspector } from '../../../gen/envoy/extensions/filters/listener/http_inspector/v3/http_inspector.ts';
import { OriginalDst } from '../../../gen/envoy/extensions/filters/listener/original_dst/v3/original_dst.ts';
import { TlsInspector } from '../../../gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.ts';
import type { Any } from '../../../gen/google/protobuf/any.ts';
import { pack } from '../messages/any.ts';

/** Milliseconds; longer than a client takes to begin. Then a protocol in which the server speaks first is let through. */
export const inspectionTimeout = 1_000;

/** Tells TLS, and what its client says in ALPN. */
export const tlsInspector = listenerFilter(
  'envoy.filters.listener.tls_inspector',
  pack(
    'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
    TlsInspector,
    TlsInspector.fromPartial({}),
  ),
);

/** Tells where a captured connection was meant to go. */
export const originalDestination = listenerFilter(
  'envoy.filters.listener.original_dst',
  pack(
    'envoy.extensions.filters.listener.original_dst.v3.OriginalDst',
    OriginalDst,
    OriginalDst.fromPartial({}),
  ),
);

/** What the inspector of HTTP tells, as a filter chain matches it. */
export const httpProtocols = ['http/1.0', 'http/1.1', 'h2c'] as const;

/** Tells HTTP from other bytes, on these ports alone: on all others nobody waits for the first bytes. */
export function httpInspector(ports: readonly number[]): ListenerFilter {
  const rules = ports.map((port) =>
    ListenerFilterChainMatchPredicate.fromPartial({
      rule: { $case: 'destinationPortRange', value: { start: port, end: port + 1 } },
    }),
  );
  const [first] = rules;
  // Envoy wants at least two where there is an "or".
  const any =
    rules.length === 1 && first
      ? first
      : ListenerFilterChainMatchPredicate.fromPartial({ rule: { $case: 'orMatch', value: { rules } } });
  return ListenerFilter.fromPartial({
    ...listenerFilter(
      'envoy.filters.listener.http_inspector',
      pack(
        'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector',
        HttpInspector,
        HttpInspector.fromPartial({}),
      ),
    ),
    filterDisabled: { rule: { $case: 'notMatch', value: any } },
  });
}

function listenerFilter(name: string, value: Any): ListenerFilter {
  return ListenerFilter.fromPartial({ name, configType: { $case: 'typedConfig', value } });
}
