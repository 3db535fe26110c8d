import { keySetId, keySetLocation } from '../../domain/jwks/index.ts';
import { type MeshSettings, type ProxyView, sameKeySets } from '../../domain/mesh/index.ts';
import { type JwtRule, readInlineKeys } from '../../domain/policy/index.ts';
import type { DiscoveryResource } from '../../domain/ports/index.ts';
import { TypedExtensionConfig } from '../../gen/envoy/config/core/v3/extension.ts';
import { RBAC as HttpRbac } from '../../gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { RBAC as NetworkRbac } from '../../gen/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { Any } from '../../gen/google/protobuf/any.ts';
import { once, sameMembers } from '../../kernel/index.ts';
import {
  type AuthorizationContext,
  httpAuthorization,
  httpFilterConfig,
  type JwksOf,
  networkAuthorization,
  networkFilterConfig,
} from './authorization/index.ts';
import { isHttp } from './listener/http.ts';
import { pack } from './messages/any.ts';
import { names } from './messages/names.ts';
import { resource } from './messages/resource.ts';

/** A filter of every port whose configuration comes by ECDS. */
export interface FilterSlot {
  readonly name: string;
  /** Full names of the messages that it may get. */
  readonly types: readonly string[];
}

const extension = 'envoy.extensions.filters';
const httpRbac = `${extension}.http.rbac.v3.RBAC`;
const networkRbac = `${extension}.network.rbac.v3.RBAC`;
// With RBAC beside what each is for: where a provider is in no registry, its place is held by rules that do nothing.
const httpTypes = {
  rbac: [httpRbac],
  ext_authz: [`${extension}.http.ext_authz.v3.ExtAuthz`, httpRbac],
  jwt_authn: [`${extension}.http.jwt_authn.v3.JwtAuthentication`],
} as const;
const networkTypes = {
  rbac: [networkRbac],
  ext_authz: [`${extension}.network.ext_authz.v3.ExtAuthz`, networkRbac],
} as const;

/**
 * The filters of a port, whatever the policies say: all are there at all times, so that a policy that comes or goes
 * changes a configuration, and no listener. Only an operator's change of the providers changes them. They are the same
 * for every port, so that what policies say is there once, however many ports there are.
 */
export function filterSlots(protocol: 'http' | 'tcp', settings: MeshSettings): readonly FilterSlot[] {
  return slotsOf(settings)[protocol];
}

const slotsOf = once((settings: MeshSettings) => {
  const context = contextOf(settings, settings.authorizationProviders);
  return {
    http: httpAuthorization([], () => undefined, context).map(({ name, kind }) => ({
      name: names.filter('http', name),
      types: httpTypes[kind],
    })),
    tcp: networkAuthorization([], context).map(({ name, kind }) => ({
      name: names.filter('tcp', name),
      types: networkTypes[kind],
    })),
  };
});

interface Rendered extends Pick<ProxyView, 'settings' | 'keySets'> {
  readonly http: boolean;
  readonly providers: MeshSettings['authorizationProviders'];
  readonly resources: readonly DiscoveryResource[];
}

/**
 * What the filters of a workload's ports do: the policies that hold for it. It is rendered once for all workloads that
 * share the policies, and its bytes are shared.
 */
export function createFiltersRenderer(): (view: ProxyView) => readonly DiscoveryResource[] {
  const rendered = new WeakMap<ProxyView['policies'], Rendered>();
  return ({ settings, keySets, policies, inbound, services }) => {
    if (inbound.length === 0) return [];
    const http = inbound.some(({ port }) => isHttp(port.protocol));
    const providers = settings.authorizationProviders.filter((provider) =>
      services.some(
        ({ service }) =>
          service.id === provider.service && service.ports.some((each) => each.port === provider.port),
      ),
    );
    const known = rendered.get(policies);
    if (
      known?.settings === settings &&
      known.http === http &&
      sameMembers(known.providers, providers) &&
      sameKeySets(known.keySets, keySets)
    )
      return known.resources;
    const resources = renderFilters(policies, { settings, keySets, http, providers });
    rendered.set(policies, { settings, keySets, http, providers, resources });
    return resources;
  };
}

function renderFilters(
  policies: ProxyView['policies'],
  { settings, keySets, http, providers }: Omit<Rendered, 'resources'>,
): readonly DiscoveryResource[] {
  const context = contextOf(settings, providers);
  const tcp = new Map(
    networkAuthorization(policies, context).map((filter) => [
      names.filter('tcp', filter.name),
      networkFilterConfig(filter),
    ]),
  );
  const network = filterSlots('tcp', settings).map(({ name }) =>
    extensionConfig(name, tcp.get(name) ?? passNetwork(name)),
  );
  if (!http) return network;
  const requests = new Map(
    httpAuthorization(policies, jwksOf(keySets), context).map((filter) => [
      names.filter('http', filter.name),
      httpFilterConfig(filter),
    ]),
  );
  return [
    ...filterSlots('http', settings).map(({ name }) => extensionConfig(name, requests.get(name) ?? passHttp)),
    ...network,
  ];
}

function jwksOf(keySets: ProxyView['keySets']): JwksOf {
  return (rule) => {
    const location = keySetLocation(rule);
    if (location) return keySets.get(keySetId(location));
    const keys = inlineKeys(rule);
    return 'message' in keys ? undefined : keys.jwks;
  };
}

/** Worked out once for each rule, however many proxies it holds for. */
const inlineKeys = once(({ jwks = '' }: JwtRule) => readInlineKeys(jwks));

function contextOf(
  settings: MeshSettings,
  providers: MeshSettings['authorizationProviders'],
): AuthorizationContext {
  return {
    trustDomain: settings.trustDomain,
    trustDomainAliases: settings.trustDomainAliases,
    providers,
    providerCluster: ({ service, port }) => names.outboundCluster(service, port),
  };
}

function extensionConfig(name: string, typedConfig: Any): DiscoveryResource {
  return resource(name, TypedExtensionConfig, TypedExtensionConfig.fromPartial({ name, typedConfig }));
}

const passHttp = pack(httpRbac, HttpRbac, HttpRbac.fromPartial({}));

function passNetwork(statPrefix: string): Any {
  return pack(networkRbac, NetworkRbac, NetworkRbac.fromPartial({ statPrefix }));
}
