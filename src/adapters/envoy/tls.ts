import type { AppProtocol, MeshSettings, MeshTls } from '../../domain/mesh/index.ts';
import { agentCluster, sdsNames } from '../../domain/ports/index.ts';
import { TransportSocket as Socket, type TransportSocket } from '../../gen/envoy/config/core/v3/base.ts';
import { ApiConfigSource_ApiType, ApiVersion } from '../../gen/envoy/config/core/v3/config_source.ts';
import {
  SubjectAltNameMatcher,
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
} from '../../gen/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { SdsSecretConfig } from '../../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import {
  CommonTlsContext,
  DownstreamTlsContext,
  UpstreamTlsContext,
} from '../../gen/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { pack } from './messages/any.ts';

/** What proxies of Istio and ours say in ALPN, so that a listener can tell mutual TLS from applications' own TLS. */
export const meshProtocols = [
  'istio',
  'istio-peer-exchange',
  'istio-http/1.0',
  'istio-http/1.1',
  'istio-h2',
] as const;

/**
 * What our own callers offer: the mesh's names first, by which a listener chooses the chain; then the protocol's own
 * name, which the callee selects, since Envoy takes what was selected for the protocol that is spoken.
 */
const offered: Readonly<Record<AppProtocol, readonly string[]>> = {
  http: ['istio-http/1.1', 'istio', 'http/1.1'],
  http2: ['istio-h2', 'istio', 'h2'],
  tcp: ['istio'],
};
const selectable: Readonly<Record<AppProtocol, readonly string[]>> = {
  http: ['h2', 'http/1.1'],
  http2: ['h2', 'http/1.1'],
  tcp: ['istio'],
};

function secret(name: string): SdsSecretConfig {
  return SdsSecretConfig.fromPartial({
    name,
    sdsConfig: {
      resourceApiVersion: ApiVersion.V3,
      // Zero waits for ever: without a certificate nothing is served.
      initialFetchTimeout: { seconds: 0n, nanos: 0 },
      configSourceSpecifier: {
        $case: 'apiConfigSource',
        value: {
          apiType: ApiConfigSource_ApiType.GRPC,
          transportApiVersion: ApiVersion.V3,
          grpcServices: [{ targetSpecifier: { $case: 'envoyGrpc', value: { clusterName: agentCluster } } }],
        },
      },
    },
  });
}

type UriMatch = { readonly prefix: string } | { readonly exact: string };

function uriMatcher(match: UriMatch): SubjectAltNameMatcher {
  return SubjectAltNameMatcher.fromPartial({
    sanType: SubjectAltNameMatcher_SanType.URI,
    matcher: {
      matchPattern:
        'prefix' in match ? { $case: 'prefix', value: match.prefix } : { $case: 'exact', value: match.exact },
    },
  });
}

const protocolVersions: Readonly<Record<MeshTls['minimumVersion'], TlsParameters_TlsProtocol>> = {
  '1.2': TlsParameters_TlsProtocol.TLSv1_2,
  '1.3': TlsParameters_TlsProtocol.TLSv1_3,
};

const classicalGroups = ['X25519', 'P-256'];

function commonContext(
  matches: readonly UriMatch[],
  alpn: readonly string[],
  { postQuantum, minimumVersion }: MeshTls,
): CommonTlsContext {
  return CommonTlsContext.fromPartial({
    tlsParams: {
      tlsMinimumProtocolVersion: protocolVersions[minimumVersion],
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
      // Named, since what Envoy does by itself differs from version to version.
      ecdhCurves: postQuantum ? ['X25519MLKEM768', ...classicalGroups] : classicalGroups,
    },
    tlsCertificateSdsSecretConfigs: [secret(sdsNames.certificate)],
    validationContextType: {
      $case: 'combinedValidationContext',
      value: {
        defaultValidationContext: { matchTypedSubjectAltNames: matches.map((match) => uriMatcher(match)) },
        validationContextSdsSecretConfig: secret(sdsNames.bundle),
      },
    },
    alpnProtocols: [...alpn],
  });
}

/**
 * Mutual TLS with callers of the mesh's trust domains. Nothing is resumed: a session would outlive the certificate that it
 * began with.
 */
export function inboundTls(
  { trustDomain, trustDomainAliases, tls }: MeshSettings,
  protocol: AppProtocol,
): TransportSocket {
  const context = DownstreamTlsContext.fromPartial({
    requireClientCertificate: true,
    sessionTicketKeysType: { $case: 'disableStatelessSessionResumption', value: true },
    disableStatefulSessionResumption: true,
    commonTlsContext: commonContext(
      [trustDomain, ...trustDomainAliases].map((name) => ({ prefix: `spiffe://${name}/` })),
      selectable[protocol],
      tls,
    ),
  });
  return tlsSocket(
    pack(
      'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      DownstreamTlsContext,
      DownstreamTlsContext.fromPartial(context),
    ),
  );
}

/** Mutual TLS with callees that have exactly one of these SPIFFE IDs. */
export function outboundTls(
  spiffeIds: readonly string[],
  protocol: AppProtocol,
  tls: MeshTls,
): TransportSocket {
  const context = UpstreamTlsContext.fromPartial({
    maxSessionKeys: 0,
    commonTlsContext: commonContext(
      spiffeIds.map((exact) => ({ exact })),
      offered[protocol],
      tls,
    ),
  });
  return tlsSocket(
    pack('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', UpstreamTlsContext, context),
  );
}

function tlsSocket(typedConfig: ReturnType<typeof pack>): TransportSocket {
  return Socket.fromPartial({
    name: 'envoy.transport_sockets.tls',
    configType: { $case: 'typedConfig', value: typedConfig },
  });
}
