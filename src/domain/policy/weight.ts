import { once } from '../../kernel/index.ts';
import { isPathTemplate } from './decide/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, Policy, RequestAuthentication } from './model.ts';

/**
 * Of one policy. What is written in a few bytes may take many in a proxy: a condition's key is there once more for each of
 * its values, and a token's principal can be cut at each of its slashes.
 */
export const mostPolicyWeight = 4 * 1024 * 1024;

/** What stands around a value in a proxy's configuration, about. */
const frame = 64;

/** About as many bytes as a policy takes in a proxy that it holds for. */
export const policyWeight = once((policy: Policy): number => {
  switch (policy.kind) {
    case 'AuthorizationPolicy':
      return authorization(policy);
    case 'PeerAuthentication':
      return frame * (policy.portLevel.size + 1);
    case 'RequestAuthentication':
      return request(policy);
  }
});

/** Of all that hold for a workload. */
export const policiesWeight = once((policies: readonly Policy[]): number =>
  sum(policies.map((policy) => policyWeight(policy))),
);

function authorization({ meta, rules }: AuthorizationPolicy): number {
  return sum(rules.map((rule) => meta.namespace.length + meta.name.length + frame + ruleWeight(rule)));
}

function ruleWeight({ from, to, when }: AuthorizationRule): number {
  return sum([
    ...from.map(({ requestPrincipals, notRequestPrincipals, ...plain }) =>
      sum([
        ...Object.values(plain).map((values) => valuesWeight(values, valueWeight)),
        valuesWeight(requestPrincipals, tokenWeight),
        valuesWeight(notRequestPrincipals, tokenWeight),
      ]),
    ),
    ...to.map(({ paths, notPaths, ...plain }) =>
      sum([
        ...Object.values(plain).map((values) => valuesWeight(values, valueWeight)),
        valuesWeight(paths, pathWeight),
        valuesWeight(notPaths, pathWeight),
      ]),
    ),
    ...when.map(({ key, values, notValues }) => {
      const weigh = key === 'request.auth.principal' ? tokenWeight : valueWeight;
      return valuesWeight([...values, ...notValues], (value) => weigh(value) + keyWeight(key));
    }),
  ]);
}

/** A claim within a claim is named part by part. */
function keyWeight(key: string): number {
  return key.length + 8 * key.split('[').length;
}

function valueWeight(value: string): number {
  return value.length + frame;
}

function tokenWeight(pattern: string): number {
  return pattern.split('/').length * (pattern.length + 2 * frame);
}

/** One expression for each segment that is spelled, in which all others stand too. */
function pathWeight(path: string): number {
  return isPathTemplate(path) ? path.split('/').length * (path.length + 2 * frame) : valueWeight(path);
}

function request({ jwtRules }: RequestAuthentication): number {
  return sum(jwtRules.map((rule) => frame + JSON.stringify(rule).length));
}

function valuesWeight(values: readonly string[], weigh: (value: string) => number): number {
  return values.reduce((total, value) => total + weigh(value), 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
