import type {
  AuthorizationContext,
  HttpAuthorizationFilter,
  NetworkAuthorizationFilter,
} from '../../../src/adapters/envoy/authorization/index.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  OperationMatch,
  Policy,
} from '../../../src/domain/policy/index.ts';
import type { Rendering } from '../rendering.ts';
import { type Node, rewrite } from './rewrite.ts';

/** Makes a rendering wrong in one way. */
export type Mutation = (right: Rendering) => Rendering;
type AnyFilter = HttpAuthorizationFilter | NetworkAuthorizationFilter;

/** What is rendered, with each of its nodes changed. */
export function rendered(change: (node: Node) => Node): Mutation {
  return filters((all) => rewrite(all, change));
}

/** The filters, changed as a list. */
export function filters(change: <T extends AnyFilter>(all: readonly T[]) => readonly T[]): Mutation {
  return (right) => ({
    ...right,
    http: (...given) => change(right.http(...given)),
    network: (...given) => change(right.network(...given)),
  });
}

/** One filter, whose rules or shadow rules are changed. */
export function filter(name: string, change: (config: Node) => Node): Mutation {
  return filters((all) =>
    all.map((each) =>
      each.name === name ? { ...each, config: { ...each.config, ...change({ ...each.config }) } } : each,
    ),
  );
}

/** As if other policies had been written. */
export function policies(change: (policy: AuthorizationPolicy) => AuthorizationPolicy): Mutation {
  const all = (some: readonly Policy[]) =>
    some.map((policy) => (policy.kind === 'AuthorizationPolicy' ? change(policy) : policy));
  return (right) => ({
    ...right,
    http: (some, ...rest) => right.http(all(some), ...rest),
    network: (some, ...rest) => right.network(all(some), ...rest),
  });
}

export function rules(change: (rule: AuthorizationRule) => AuthorizationRule): Mutation {
  return policies((policy) => ({ ...policy, rules: policy.rules.map(change) }));
}

export function operations(change: (operation: OperationMatch) => OperationMatch): Mutation {
  return rules((rule) => ({ ...rule, to: rule.to.map(change) }));
}

/** As if the mesh were another one. */
export function context(change: Partial<AuthorizationContext>): Mutation {
  return (right) => ({
    ...right,
    http: (some, jwksOf, given) => right.http(some, jwksOf, { ...given, ...change }),
    network: (some, given) => right.network(some, { ...given, ...change }),
  });
}

/** As if connection managers read paths in another way. */
export function paths(change: Partial<ReturnType<Rendering['paths']>>): Mutation {
  return (right) => ({ ...right, paths: () => ({ ...right.paths(), ...change }) });
}
