import {
  type AuthorizationContext,
  type HttpAuthorizationFilter,
  httpAuthorization,
  type JwksOf,
  type NetworkAuthorizationFilter,
  networkAuthorization,
  pathSettings,
} from '../../src/adapters/envoy/authorization/index.ts';
import type { Policy } from '../../src/domain/policy/index.ts';

/** What is put before Envoy; the oracle is tested itself by renderings that are wrong. */
export interface Rendering {
  http(
    policies: readonly Policy[],
    jwksOf: JwksOf,
    context: AuthorizationContext,
  ): readonly HttpAuthorizationFilter[];
  network(policies: readonly Policy[], context: AuthorizationContext): readonly NetworkAuthorizationFilter[];
  paths(): ReturnType<typeof pathSettings>;
}

export const ours: Rendering = {
  http: httpAuthorization,
  network: networkAuthorization,
  paths: pathSettings,
};
