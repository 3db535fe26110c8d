import { hash } from 'node:crypto';
import { once } from '../../kernel/index.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  LabelSelector,
  PeerAuthentication,
  Policy,
  PolicyTargetReference,
  RequestAuthentication,
} from './model.ts';

/**
 * What a policy says, and nothing of where and when it was written, as JSON: two policies say the same exactly where
 * their canonical forms are the same text. Lists without an order are sorted; rules keep theirs, since decisions and
 * logs name a rule by its number, and so do the places of a token, which are tried in turn.
 */
export function canonicalPolicy(policy: Policy): string {
  const { kind, meta } = policy;
  return JSON.stringify({ kind, namespace: meta.namespace, name: meta.name, ...contentOf(policy) });
}

/** SHA-256 of the canonical form, lower-case hexadecimal. Worked out once for each policy object. */
export const policyHash = once((policy: Policy): string => hash('sha256', canonicalPolicy(policy), 'hex'));

function contentOf(policy: Policy): object {
  switch (policy.kind) {
    case 'AuthorizationPolicy':
      return authorization(policy);
    case 'PeerAuthentication':
      return peer(policy);
    case 'RequestAuthentication':
      return request(policy);
  }
}

function authorization(policy: AuthorizationPolicy): object {
  const { selector, targetRefs, action, provider, dryRun, rules } = policy;
  return { ...target(selector, targetRefs), action, provider, dryRun, rules: rules.map(rule) };
}

function peer({ selector, mode, portLevel }: PeerAuthentication): object {
  return { ...target(selector, []), mode, portLevel: [...portLevel].toSorted(([a], [b]) => a - b) };
}

function request({ selector, targetRefs, jwtRules }: RequestAuthentication): object {
  return {
    ...target(selector, targetRefs),
    jwtRules: jwtRules.map(({ audiences, outputClaimToHeaders, spaceDelimitedClaims, ...rest }) => ({
      ...ordered(rest),
      audiences: asSet(audiences),
      ...(spaceDelimitedClaims.length > 0 ? { spaceDelimitedClaims: asSet(spaceDelimitedClaims) } : {}),
      outputClaimToHeaders: asSet(outputClaimToHeaders.map(({ header, claim }) => ({ header, claim }))),
    })),
  };
}

function target(selector: LabelSelector | undefined, targetRefs: readonly PolicyTargetReference[]): object {
  return {
    selector: selector && ordered(selector),
    targetRefs: asSet(targetRefs.map(({ group, kind, name }) => ({ group, kind, name }))),
  };
}

function rule({ from, to, when }: AuthorizationRule): object {
  return {
    from: asSet(from.map(lists)),
    to: asSet(to.map(lists)),
    when: asSet(
      when.map(({ key, values, notValues }) => ({ key, values: asSet(values), notValues: asSet(notValues) })),
    ),
  };
}

/** The lists that hold something, by name. */
function lists(given: object): object {
  const held = Object.entries(given).filter(([, list]) => Array.isArray(list) && list.length > 0);
  return ordered(Object.fromEntries(held.map(([name, list]) => [name, asSet(list)])));
}

function ordered(value: object): object {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Members in one order, each once. */
function asSet(list: readonly unknown[]): readonly unknown[] {
  const byText = new Map(list.map((each) => [JSON.stringify(each), each]));
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}
