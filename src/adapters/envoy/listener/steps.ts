import type { FilterStep } from '../messages/names.ts';

const httpRbac = 'envoy.extensions.filters.http.rbac.v3.RBAC';
const networkRbac = 'envoy.extensions.filters.network.rbac.v3.RBAC';

/**
 * The filters of each port, with the types that each may become. All are always there, most of them empty: a policy
 * that comes or goes changes a configuration, not the listener.
 */
export const httpSteps: readonly (readonly [FilterStep, readonly string[]])[] = [
  ['authentication', ['envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', httpRbac]],
  ['custom', [httpRbac]],
  ['authorizer', ['envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', httpRbac]],
  ['audit', [httpRbac]],
  ['deny', [httpRbac]],
  ['allow', [httpRbac]],
];

export const tcpSteps: readonly (readonly [FilterStep, readonly string[]])[] = [
  ['audit', [networkRbac]],
  ['deny', [networkRbac]],
  ['allow', [networkRbac]],
];
