import { ExtAuthz } from '../../../gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz.ts';
import { JwtAuthentication } from '../../../gen/envoy/extensions/filters/http/jwt_authn/v3/config.ts';
import { RBAC as HttpRbac } from '../../../gen/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { ExtAuthz as NetworkExtAuthz } from '../../../gen/envoy/extensions/filters/network/ext_authz/v3/ext_authz.ts';
import { RBAC as NetworkRbac } from '../../../gen/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import { Any } from '../../../gen/google/protobuf/any.ts';

/** A filter under a name that stays the same whatever the policies say, so that its content can travel by itself. */
export type HttpAuthorizationFilter = { readonly name: string } & (
  | { readonly kind: 'rbac'; readonly config: HttpRbac }
  | { readonly kind: 'ext_authz'; readonly config: ExtAuthz }
  | { readonly kind: 'jwt_authn'; readonly config: JwtAuthentication }
);

export type NetworkAuthorizationFilter = { readonly name: string } & (
  | { readonly kind: 'rbac'; readonly config: NetworkRbac }
  | { readonly kind: 'ext_authz'; readonly config: NetworkExtAuthz }
);

const types = 'type.googleapis.com/envoy.extensions.filters';

export function httpFilterConfig(filter: HttpAuthorizationFilter): Any {
  switch (filter.kind) {
    case 'rbac':
      return any('http.rbac.v3.RBAC', HttpRbac.encode(filter.config).finish());
    case 'ext_authz':
      return any('http.ext_authz.v3.ExtAuthz', ExtAuthz.encode(filter.config).finish());
    case 'jwt_authn':
      return any('http.jwt_authn.v3.JwtAuthentication', JwtAuthentication.encode(filter.config).finish());
  }
}

export function networkFilterConfig(filter: NetworkAuthorizationFilter): Any {
  return filter.kind === 'rbac'
    ? any('network.rbac.v3.RBAC', NetworkRbac.encode(filter.config).finish())
    : any('network.ext_authz.v3.ExtAuthz', NetworkExtAuthz.encode(filter.config).finish());
}

function any(type: string, value: Uint8Array): Any {
  return Any.fromPartial({ typeUrl: `${types}.${type}`, value: Buffer.from(value) });
}
