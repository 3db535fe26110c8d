import {
  type NetworkAuthorizationFilter,
  networkFilterConfig,
} from '../../src/adapters/envoy/authorization/index.ts';
import { AccessLog } from '../../src/gen/envoy/config/accesslog/v3/accesslog.ts';
import { SubstitutionFormatString } from '../../src/gen/envoy/config/core/v3/substitution_format_string.ts';
import { Listener } from '../../src/gen/envoy/config/listener/v3/listener.ts';
import { Filter, FilterChain } from '../../src/gen/envoy/config/listener/v3/listener_components.ts';
import { DownstreamTlsContext } from '../../src/gen/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { Any } from '../../src/gen/google/protobuf/any.ts';
import { emptyMessage, lengthDelimited, packed } from './messages.ts';

export interface ServerTls {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly rootPem: string;
}

const inspector = {
  name: 'tls_inspector',
  configType: {
    $case: 'typedConfig',
    value: emptyMessage('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector'),
  },
} as const;

/** The same filters behind TLS, with a client's certificate where it has one, and in plaintext. */
export function httpListener(port: number, filter: Filter, tls: ServerTls): Listener {
  return Listener.fromPartial({
    name: `http-${port}`,
    address: socket('0.0.0.0', port),
    additionalAddresses: [{ address: socket('::', port) }],
    listenerFilters: [inspector],
    filterChains: bothWays('http', {}, [filter], tls),
  });
}

/** The destination address by which a connection says which set it is for. */
export function tcpAddress(index: number): string {
  return `127.77.${index >> 8}.${index & 0xff}`;
}

/** A set for each destination address; what is allowed is sent back. Its log says, by the caller's address, what decided. */
export function tcpListener(
  port: number,
  sets: readonly { readonly address: string; readonly filters: readonly NetworkAuthorizationFilter[] }[],
  tls: ServerTls,
  logPath: string,
): Listener {
  const echo = Filter.fromPartial({
    name: 'echo',
    configType: {
      $case: 'typedConfig',
      value: emptyMessage('envoy.extensions.filters.network.echo.v3.Echo'),
    },
  });
  return Listener.fromPartial({
    name: `tcp-${port}`,
    address: socket('0.0.0.0', port),
    listenerFilters: [inspector],
    accessLog: [fileLog(logPath)],
    filterChains: sets.flatMap(({ address, filters }, index) =>
      bothWays(
        `tcp-${index}`,
        { prefixRanges: [{ addressPrefix: address, prefixLen: 32 }] },
        [...filters.map(networkFilter), echo],
        tls,
      ),
    ),
  });
}

function networkFilter(filter: NetworkAuthorizationFilter): Filter {
  return Filter.fromPartial({
    name: filter.name,
    configType: { $case: 'typedConfig', value: networkFilterConfig(filter) },
  });
}

function bothWays(name: string, match: object, filters: readonly Filter[], tls: ServerTls): FilterChain[] {
  const context = DownstreamTlsContext.fromPartial({
    requireClientCertificate: false,
    commonTlsContext: {
      tlsCertificates: [
        {
          certificateChain: { specifier: { $case: 'inlineString', value: tls.certificatePem } },
          privateKey: { specifier: { $case: 'inlineString', value: tls.keyPem } },
        },
      ],
      validationContextType: {
        $case: 'validationContext',
        value: { trustedCa: { specifier: { $case: 'inlineString', value: tls.rootPem } } },
      },
    },
  });
  const type = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
  return [
    FilterChain.fromPartial({
      name: `${name}-tls`,
      filterChainMatch: { ...match, transportProtocol: 'tls' },
      filters: [...filters],
      transportSocket: {
        name: 'tls',
        configType: { $case: 'typedConfig', value: packed(type, DownstreamTlsContext, context) },
      },
    }),
    FilterChain.fromPartial({
      name: `${name}-plain`,
      filterChainMatch: { ...match, transportProtocol: 'raw_buffer' },
      filters: [...filters],
    }),
  ];
}

/** The generated types have no file access log: its path is field 1, its format field 5. */
function fileLog(path: string): AccessLog {
  const line = '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%\t%DYNAMIC_METADATA(envoy.filters.network.rbac)%\n';
  const format = SubstitutionFormatString.fromPartial({
    format: {
      $case: 'textFormatSource',
      value: { specifier: { $case: 'inlineString', value: line } },
    },
  });
  const value = Buffer.concat([
    lengthDelimited(1, Buffer.from(path)),
    lengthDelimited(5, Buffer.from(SubstitutionFormatString.encode(format).finish())),
  ]);
  const type = 'envoy.extensions.access_loggers.file.v3.FileAccessLog';
  const typed = Any.fromPartial({ typeUrl: `type.googleapis.com/${type}`, value });
  return AccessLog.fromPartial({ name: 'file', configType: { $case: 'typedConfig', value: typed } });
}

function socket(address: string, portValue: number) {
  return {
    address: {
      $case: 'socketAddress',
      value: { address, portSpecifier: { $case: 'portValue', value: portValue } },
    },
  } as const;
}
