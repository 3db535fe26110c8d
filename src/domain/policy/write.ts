import { formatDuration, formatInstant } from '../../kernel/index.ts';
import type {
  AuthorizationPolicy,
  JwtRule,
  LabelSelector,
  PeerAuthentication,
  Policy,
  PolicyTargetReference,
  RequestAuthentication,
} from './model.ts';

/** A policy as an author writes it, and as `readPolicy` takes it: what that reads of it says the same as the policy. */
export function policyObject(policy: Policy): Readonly<Record<string, unknown>> {
  const { kind, meta } = policy;
  const dryRun = policy.kind === 'AuthorizationPolicy' && policy.dryRun;
  return {
    apiVersion: 'security.istio.io/v1',
    kind,
    metadata: {
      name: meta.name,
      namespace: meta.namespace,
      ...(meta.generation === 0 ? {} : { generation: meta.generation }),
      ...(meta.created === undefined ? {} : { creationTimestamp: formatInstant(new Date(meta.created)) }),
      ...(dryRun ? { annotations: { 'istio.io/dry-run': 'true' } } : {}),
    },
    spec: specOf(policy),
  };
}

function specOf(policy: Policy): object {
  switch (policy.kind) {
    case 'AuthorizationPolicy':
      return authorization(policy);
    case 'PeerAuthentication':
      return peer(policy);
    case 'RequestAuthentication':
      return request(policy);
  }
}

function authorization({ selector, targetRefs, action, provider, rules }: AuthorizationPolicy): object {
  return {
    ...target(selector, targetRefs),
    action,
    ...(provider === undefined ? {} : { provider: { name: provider } }),
    ...(rules.length === 0
      ? {}
      : {
          rules: rules.map(({ from, to, when }) => ({
            ...nonEmpty(
              'from',
              from.map((source) => ({ source: lists(source) })),
            ),
            ...nonEmpty(
              'to',
              to.map((operation) => ({ operation: lists(operation) })),
            ),
            ...nonEmpty('when', when.map(lists)),
          })),
        }),
  };
}

function peer({ selector, mode, portLevel }: PeerAuthentication): object {
  return {
    ...target(selector, []),
    ...(mode === 'UNSET' ? {} : { mtls: { mode } }),
    ...(portLevel.size === 0
      ? {}
      : {
          portLevelMtls: Object.fromEntries(
            [...portLevel].map(([port, portMode]) => [String(port), { mode: portMode }]),
          ),
        }),
  };
}

function request({ selector, targetRefs, jwtRules }: RequestAuthentication): object {
  return { ...target(selector, targetRefs), ...nonEmpty('jwtRules', jwtRules.map(jwtRule)) };
}

function jwtRule({ timeout, forwardOriginalToken, fromHeaders, ...rest }: JwtRule): object {
  return {
    ...lists(rest),
    ...nonEmpty(
      'fromHeaders',
      fromHeaders.map(({ name, prefix }) => ({ name, ...(prefix === '' ? {} : { prefix }) })),
    ),
    ...(forwardOriginalToken ? { forwardOriginalToken } : {}),
    timeout: formatDuration(timeout),
  };
}

function target(
  selector: LabelSelector | undefined,
  targetRefs: readonly PolicyTargetReference[],
): Readonly<Record<string, unknown>> {
  return {
    ...(selector === undefined ? {} : { selector: { matchLabels: selector } }),
    ...nonEmpty('targetRefs', targetRefs),
  };
}

/** What of an object's fields holds anything. */
function lists(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function nonEmpty(name: string, list: readonly unknown[]): Readonly<Record<string, unknown>> {
  return list.length === 0 ? {} : { [name]: list };
}
