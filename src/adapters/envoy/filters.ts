import { createHash } from 'node:crypto';
import { keySetId, keySetLocation } from '../../domain/jwks/index.ts';
import type { KeySetTexts, MeshSettings, ProxyView, ServiceView } from '../../domain/mesh/index.ts';
import { type JwtRule, type Policy, readInlineKeys } from '../../domain/policy/index.ts';
import type { DiscoveryResource } from '../../domain/ports/index.ts';
import { TypedExtensionConfig } from '../../gen/envoy/config/core/v3/extension.ts';
import { RBAC as HttpRbac } from '../../gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { RBAC as NetworkRbac } from '../../gen/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { Any } from '../../gen/google/protobuf/any.ts';
import { once, Shared, sameMembers } from '../../kernel/index.ts';
import {
  type AuthorizationContext,
  httpAuthorization,
  httpFilterConfig,
  type JwksOf,
  networkAuthorization,
  networkFilterConfig,
} from './authorization/index.ts';
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

/** What the filters of a workload's ports do: they are the same for every port. */
export interface WorkloadFilters {
  /** In front of requests; made when a port first needs them. */
  readonly http: () => readonly DiscoveryResource[];
  readonly network: readonly DiscoveryResource[];
  /**
   * Changes with what decides of connections. One that is not read as HTTP is judged once, when it begins: by this it is
   * seen that those that are open have to be judged anew. What decides of requests alone, or of nothing, is not in it.
   */
  readonly judgement: string;
}

interface Rendered extends WorkloadFilters {
  readonly keySets: KeySetTexts;
  readonly shadow: ProxyView['shadow'];
  readonly providers: MeshSettings['authorizationProviders'];
}

/** Workloads that are under the same policies have the very same filters. */
export function createFiltersRenderer(settings: MeshSettings): (view: ProxyView) => WorkloadFilters {
  const filters = new Shared<DiscoveryResource>();
  const share: Share = (made) => filters.get(`${made.name} ${made.version}`, () => made);
  const rendered = new WeakMap<readonly Policy[], Rendered>();
  const reachable = once((services: readonly ServiceView[]) =>
    settings.authorizationProviders.filter((provider) =>
      services.some(
        ({ service }) =>
          service.id === provider.service && service.ports.some((each) => each.port === provider.port),
      ),
    ),
  );
  return ({ policies, keySets, services, shadow }) => {
    const providers = reachable(services);
    const known = rendered.get(policies);
    if (known?.keySets === keySets && known.shadow === shadow && sameMembers(known.providers, providers))
      return known;
    const context = contextOf(settings, providers);
    const made = {
      keySets,
      shadow,
      providers,
      ...networkFilters(policies, { settings, context, share, shadow }),
      http: lazily(() => httpFilters(policies, jwksOf(keySets), { settings, context, share, shadow })),
    };
    rendered.set(policies, made);
    return made;
  };
}

type Share = (made: DiscoveryResource) => DiscoveryResource;

interface Rendering {
  readonly settings: MeshSettings;
  readonly context: AuthorizationContext;
  readonly share: Share;
  readonly shadow: ProxyView['shadow'];
}

function networkFilters(
  policies: readonly Policy[],
  { settings, context, share, shadow }: Rendering,
): Pick<WorkloadFilters, 'network' | 'judgement'> {
  const configs = new Map<string, Any>();
  const judging = createHash('sha256');
  for (const filter of networkAuthorization(policies, context, shadow)) {
    const config = networkFilterConfig(filter);
    configs.set(names.filter('tcp', filter.name), config);
    if (filter.decides) judging.update(`${filter.name} ${config.value.length}\n`).update(config.value);
  }
  return {
    network: filterSlots('tcp', settings).map(({ name }) =>
      share(extensionConfig(name, configs.get(name) ?? passNetwork(name))),
    ),
    judgement: judging.digest('hex').slice(0, 32),
  };
}

function httpFilters(
  policies: readonly Policy[],
  jwks: JwksOf,
  { settings, context, share, shadow }: Rendering,
): readonly DiscoveryResource[] {
  const configs = new Map(
    httpAuthorization(policies, jwks, context, shadow).map((filter) => [
      names.filter('http', filter.name),
      httpFilterConfig(filter),
    ]),
  );
  return filterSlots('http', settings).map(({ name }) =>
    share(extensionConfig(name, configs.get(name) ?? passHttp)),
  );
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
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
