import type { AuthorizationProvider } from '../../../domain/mesh/index.ts';
import { ApiVersion } from '../../../gen/envoy/config/core/v3/config_source.ts';
import { ExtAuthz } from '../../../gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz.ts';
import { ExtAuthz as NetworkExtAuthz } from '../../../gen/envoy/extensions/filters/network/ext_authz/v3/ext_authz.ts';
import { MetadataMatcher } from '../../../gen/envoy/type/matcher/v3/metadata.ts';
import { duration } from '../messages/values.ts';
import { customPrefix, policyKey, rbacHttpNamespace, rbacNetworkNamespace } from './names.ts';
import { exact, prefix } from './strings.ts';

/** Asks the provider about what its shadow rules matched, and about nothing else. */
export function httpExtAuthz(provider: AuthorizationProvider, cluster: string): ExtAuthz {
  return ExtAuthz.fromPartial({
    services:
      provider.kind === 'grpc'
        ? { $case: 'grpcService', value: grpcService(provider, cluster) }
        : { $case: 'httpService', value: httpService(provider, cluster) },
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: provider.failOpen,
    statPrefix: provider.name,
    filterEnabledMetadata: matchedBy(provider, rbacHttpNamespace),
    ...(provider.kind === 'http' && provider.includeHeaders.length > 0
      ? {
          allowedHeaders: {
            patterns: provider.includeHeaders.map((name) => ({ ...exact(name), ignoreCase: true })),
          },
        }
      : {}),
    ...(provider.bodyBytes > 0
      ? {
          withRequestBody: {
            maxRequestBytes: provider.bodyBytes,
            allowPartialMessage: true,
            packAsBytes: provider.kind === 'grpc',
          },
        }
      : {}),
  });
}

/** Of connections only a gRPC provider can be asked. */
export function networkExtAuthz(provider: AuthorizationProvider, cluster: string): NetworkExtAuthz {
  return NetworkExtAuthz.fromPartial({
    statPrefix: provider.name,
    grpcService: grpcService(provider, cluster),
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: provider.failOpen,
    filterEnabledMetadata: matchedBy(provider, rbacNetworkNamespace),
  });
}

function grpcService(provider: AuthorizationProvider, clusterName: string) {
  return {
    // Otherwise it is the cluster's name, whose slashes no strict server takes.
    targetSpecifier: { $case: 'envoyGrpc', value: { clusterName, authority: hostOf(provider) } },
    timeout: duration(provider.timeout),
  } as const;
}

function httpService(provider: AuthorizationProvider, cluster: string) {
  return {
    serverUri: {
      uri: `http://${hostOf(provider)}`,
      httpUpstreamType: { $case: 'cluster', value: cluster },
      timeout: duration(provider.timeout),
    },
    pathPrefix: provider.pathPrefix,
  } as const;
}

function hostOf({ service, port }: AuthorizationProvider): string {
  const [namespace = '', name = ''] = service.split('/', 2);
  return `${name}.${namespace}:${port}`;
}

function matchedBy(provider: AuthorizationProvider, filter: string): MetadataMatcher {
  const key = policyKey(customPrefix(provider.name), 'shadow');
  return MetadataMatcher.fromPartial({
    filter,
    path: [{ segment: { $case: 'key', value: key } }],
    value: { matchPattern: { $case: 'stringMatch', value: prefix('ns[') } },
  });
}
