import {
  type AuthorizationContext,
  type HttpAuthorizationFilter,
  httpAuthorization,
  httpFilterConfig,
  type JwksOf,
  pathSettings,
} from '../../src/adapters/envoy/authorization/index.ts';
import type { Policy } from '../../src/domain/policy/index.ts';
import { ComparisonFilter_Op } from '../../src/gen/envoy/config/accesslog/v3/accesslog.ts';
import { HeaderValueOption_HeaderAppendAction } from '../../src/gen/envoy/config/core/v3/base.ts';
import { Filter } from '../../src/gen/envoy/config/listener/v3/listener_components.ts';
import { Route } from '../../src/gen/envoy/config/route/v3/route_components.ts';
import { RBACPerRoute } from '../../src/gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { HttpConnectionManager } from '../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { Any } from '../../src/gen/google/protobuf/any.ts';
import { metadataFilter } from './left-metadata.ts';
import { packed, router } from './messages.ts';

/** Changes what the renderer gave: how the oracle is tested itself. */
export type Mutation = (filter: HttpAuthorizationFilter) => HttpAuthorizationFilter;

export interface HttpSide {
  readonly sets: readonly (readonly Policy[])[];
  /** Of the RequestAuthentications that hold for all sets. */
  readonly authentication: readonly Policy[];
  readonly jwksOf: JwksOf;
  readonly context: AuthorizationContext;
  readonly mutation?: Mutation | undefined;
}

/** The header that tells which set a request is for. */
export const setHeader = 'x-oracle-set';
/** The headers of every response: what the filters left in the metadata, and how the response came to be. */
export const metadataHeader = 'x-oracle-metadata';
export const detailsHeader = 'x-oracle-details';

const unmutated: Mutation = (filter) => filter;

/** One connection manager for all sets: each is a route with the filters' content of its own. */
export function httpFilter({
  sets,
  authentication,
  jwksOf,
  context,
  mutation = unmutated,
}: HttpSide): Filter {
  const answers = responseHeaders();
  const shared = httpAuthorization(authentication, jwksOf, context).map(mutation);
  const manager = HttpConnectionManager.fromPartial({
    ...pathSettings(),
    statPrefix: 'oracle',
    useRemoteAddress: true,
    xffNumTrustedHops: 1,
    httpFilters: [
      metadataFilter(),
      ...shared.map((filter) => ({
        name: filter.name,
        configType: { $case: 'typedConfig', value: httpFilterConfig(filter) } as const,
      })),
      router,
    ],
    localReplyConfig: { mappers: [{ filter: anyStatus, headersToAdd: answers }] },
    routeSpecifier: {
      $case: 'routeConfig',
      value: {
        name: 'oracle',
        virtualHosts: [
          {
            name: 'oracle',
            domains: ['*'],
            responseHeadersToAdd: answers,
            routes: sets.map((policies, index) => route(index, policies, { jwksOf, context, mutation })),
          },
        ],
      },
    },
  });
  const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const value = packed(type, HttpConnectionManager, manager);
  return Filter.fromPartial({ name: 'http', configType: { $case: 'typedConfig', value } });
}

type Rendering = Required<Pick<HttpSide, 'jwksOf' | 'context'>> & { readonly mutation: Mutation };

function route(index: number, policies: readonly Policy[], { jwksOf, context, mutation }: Rendering): Route {
  const own = httpAuthorization(policies, jwksOf, context)
    .map(mutation)
    .flatMap((filter): (readonly [string, Any])[] =>
      filter.kind === 'rbac'
        ? [[filter.name, packed(perRoute, RBACPerRoute, RBACPerRoute.fromPartial({ rbac: filter.config }))]]
        : [],
    );
  return Route.fromPartial({
    match: {
      pathSpecifier: { $case: 'prefix', value: '' },
      headers: [
        {
          name: setHeader,
          headerMatchSpecifier: {
            $case: 'stringMatch',
            value: { matchPattern: { $case: 'exact', value: String(index) } },
          },
        },
      ],
    },
    action: { $case: 'directResponse', value: { status: 200 } },
    typedPerFilterConfig: Object.fromEntries(own),
  });
}

const perRoute = 'envoy.extensions.filters.http.rbac.v3.RBACPerRoute';

function responseHeaders() {
  const header = (key: string, value: string) => ({
    header: { key, value },
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  });
  return [
    header(metadataHeader, '%DYNAMIC_METADATA(envoy.filters.http.rbac)%'),
    header(detailsHeader, '%RESPONSE_CODE_DETAILS%'),
  ];
}

const anyStatus = {
  filterSpecifier: {
    $case: 'statusCodeFilter',
    value: { comparison: { op: ComparisonFilter_Op.GE, value: { defaultValue: 100, runtimeKey: 'none' } } },
  },
} as const;
