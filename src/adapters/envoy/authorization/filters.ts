import { ExtAuthz } from '../../../gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz.ts';
import { JwtAuthentication } from '../../../gen/envoy/extensions/filters/http/jwt_authn/v3/config.ts';
import { RBAC as HttpRbac } from '../../../gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { ExtAuthz as NetworkExtAuthz } from '../../../gen/envoy/extensions/filters/network/ext_authz/v3/ext_authz.ts';
import { RBAC as NetworkRbac } from '../../../gen/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { Any } from '../../../gen/google/protobuf/any.ts';
import { pack } from '../messages/any.ts';

/** A filter under a name that stays the same whatever the policies say, so that its content can travel by itself. */
export type HttpAuthorizationFilter = { readonly name: string } & (
  | { readonly kind: 'rbac'; readonly config: HttpRbac }
  | { readonly kind: 'ext_authz'; readonly config: ExtAuthz }
  | { readonly kind: 'jwt_authn'; readonly config: JwtAuthentication }
);

export type NetworkAuthorizationFilter = {
  readonly name: string;
  /** Whether what becomes of a connection hangs on it; otherwise it only marks. */
  readonly decides: boolean;
} & (
  | { readonly kind: 'rbac'; readonly config: NetworkRbac }
  | { readonly kind: 'ext_authz'; readonly config: NetworkExtAuthz }
);

const types = 'envoy.extensions.filters';

export function httpFilterConfig(filter: HttpAuthorizationFilter): Any {
  switch (filter.kind) {
    case 'rbac':
      return pack(`${types}.http.rbac.v3.RBAC`, HttpRbac, filter.config);
    case 'ext_authz':
      return pack(`${types}.http.ext_authz.v3.ExtAuthz`, ExtAuthz, filter.config);
    case 'jwt_authn':
      return pack(`${types}.http.jwt_authn.v3.JwtAuthentication`, JwtAuthentication, filter.config);
  }
}

export function networkFilterConfig(filter: NetworkAuthorizationFilter): Any {
  return filter.kind === 'rbac'
    ? pack(`${types}.network.rbac.v3.RBAC`, NetworkRbac, filter.config)
    : pack(`${types}.network.ext_authz.v3.ExtAuthz`, NetworkExtAuthz, filter.config);
}
