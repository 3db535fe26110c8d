import { forWorkload, TrustDomain } from '@citadel/spiffe';
import type { Workload } from '../../mesh/index.ts';
import { type DecisionContext, decide, type PolicyRequest, type RuleReference } from '../decide/index.ts';
import { describeOrigin, type MutualTlsMode, type PeerAuthentication, type Policy } from '../model.ts';
import { mutualTlsModeOf, policiesOf } from '../select.ts';
import type { CallOutcome, ExpectedDecider, TestCall } from './model.ts';
import type { TestedWorld } from './tested-world.ts';
import { judgeToken, type TokenVerdict } from './token.ts';

/** What a call comes to at one callee, and by what. */
export interface Outcome {
  readonly outcome: CallOutcome;
  readonly by: ExpectedDecider;
  /** Where `by` was written; absent for nothing. */
  readonly at?: string;
  /** In words, for who expected something else. */
  readonly reason: string;
  /** It hangs on what the case does not say, so that nothing can be expected of it. */
  readonly undetermined?: true;
  /** What policies were asked; undefined where the call did not come so far. */
  readonly asked: Asked | undefined;
}

/** What stood before the policies of a workload. */
export interface Asked {
  readonly policies: readonly Policy[];
  readonly request: PolicyRequest;
  readonly context: DecisionContext;
}

/** A port at which a call arrives. */
export interface Callee {
  readonly workload: Workload;
  readonly port: number;
  readonly tcp: boolean;
}

/** An address of TEST-NET-1 (RFC 5737), for callers of whom the world knows none. */
const unknownCaller = '192.0.2.1';

/** @param now milliseconds, for the times in tokens */
export function outcomeOf(call: TestCall, callee: Callee, tested: TestedWorld, now: number): Outcome {
  const { workload, port, tcp } = callee;
  if (workload.proxy === 'none')
    return {
      outcome: 'allowed',
      by: 'nothing',
      reason: `no proxy stands beside ${workload.namespace}/${workload.name}: no policy is enforced there`,
      asked: undefined,
    };
  const policies = policiesOf(tested.index, workload);
  const { mode, by: modeBy } = modeOf(policies, port, tested.world.strict.has(workload.id));
  if (call.from.kind === 'plaintext' && mode === 'STRICT')
    return {
      outcome: 'refused',
      by: modeBy === undefined ? 'nothing' : deciderOf(modeBy, undefined),
      ...(modeBy && { at: describeOrigin(modeBy.meta.origin) }),
      reason:
        modeBy === undefined
          ? 'an operator’s order takes mutual TLS alone there'
          : 'mutual TLS alone is taken there (STRICT)',
      asked: undefined,
    };
  const token = tcp || call.token === undefined ? undefined : judge(policies, call.token, now);
  const request = requestOf(call, callee, mode, token, tested);
  const context: DecisionContext = {
    trustDomain: tested.world.settings.trustDomain,
    trustDomainAliases: tested.world.settings.trustDomainAliases,
    tcp,
    customVerdicts: new Map(
      tested.world.settings.authorizationProviders.flatMap(({ name }) => {
        const verdict = Object.hasOwn(call.custom, name) ? call.custom[name] : undefined;
        return verdict === undefined ? [] : [[name, verdict] as const];
      }),
    ),
  };
  return decided({ policies, request, context }, token, call, tested);
}

function judge(
  policies: readonly Policy[],
  token: NonNullable<TestCall['token']>,
  now: number,
): TokenVerdict {
  return judgeToken(
    policies.filter((policy) => policy.kind === 'RequestAuthentication'),
    token,
    now,
  );
}

function requestOf(
  call: TestCall,
  { workload, port, tcp }: Callee,
  mode: Exclude<MutualTlsMode, 'UNSET'>,
  token: TokenVerdict | undefined,
  tested: TestedWorld,
): PolicyRequest {
  const sourceIp = call.ip ?? tested.addressOf(call.from) ?? unknownCaller;
  const accepted = token?.kind === 'accepted' ? token : undefined;
  return {
    ...(tcp
      ? {}
      : {
          http: {
            method: call.method,
            path: call.path,
            host: call.host ?? tested.hostOf(workload),
            headers: call.headers,
          },
        }),
    // Where mutual TLS is off, callers of the mesh speak plaintext too.
    sourcePrincipal: mode === 'DISABLE' ? undefined : principalOf(call, tested),
    sourceIp,
    remoteIp: call.remoteIp ?? sourceIp,
    destinationIp: workload.addresses[0] ?? unknownCaller,
    destinationPort: port,
    sni: call.sni,
    jwt: accepted?.claims,
    spaceDelimitedClaims: accepted?.by.policy.jwtRules[accepted.by.rule]?.spaceDelimitedClaims,
    metadata: call.metadata,
  };
}

function principalOf({ from }: TestCall, { world }: TestedWorld): string | undefined {
  switch (from.kind) {
    case 'plaintext':
      return undefined;
    case 'spiffe':
      return from.id;
    case 'account': {
      const domain = TrustDomain.parse(world.settings.trustDomain);
      return forWorkload(domain, from.namespace, from.serviceAccount).toString();
    }
  }
}

/** In the order of the proxy's filters: what stands before the token, the token, and what comes behind it. */
function decided(
  asked: Asked,
  token: TokenVerdict | undefined,
  call: TestCall,
  tested: TestedWorld,
): Outcome {
  const decision = decide(asked.policies, asked.request, asked.context);
  if (decision.step === 'PATH')
    return {
      outcome: 'denied',
      by: 'nothing',
      reason: 'its path, method or host can be read in more than one way, and policies compare it',
      asked,
    };
  if (decision.step === 'CUSTOM' && decision.by) {
    const policy = find(asked.policies, decision.by);
    const provider = policy?.kind === 'AuthorizationPolicy' ? (policy.provider ?? '') : '';
    const known = tested.world.settings.authorizationProviders.some(({ name }) => name === provider);
    const answer = Object.hasOwn(call.custom, provider);
    const reason = !known
      ? `the provider ${provider} is not configured, so that nobody can be asked`
      : answer
        ? `the provider ${provider} says no`
        : `the provider ${provider} is asked, and the case does not say what it answers: write custom: { ${provider}: allow }`;
    const outcome = ruleOutcome('denied', decision.by, asked, reason);
    return known && !answer ? { ...outcome, undetermined: true } : outcome;
  }
  if (token?.kind === 'unauthorized' || token?.kind === 'forbidden') {
    const { policy, rule } = token.by;
    return {
      outcome: token.kind === 'forbidden' ? 'denied' : 'unauthorized',
      by: deciderOf(policy, rule),
      at: describeOrigin(policy.meta.origin),
      reason: `the token is refused: ${token.reason}`,
      asked: undefined,
    };
  }
  if (decision.by) {
    const outcome = decision.verdict === 'allow' ? 'allowed' : 'denied';
    return ruleOutcome(outcome, decision.by, asked, `${decision.step} matches`);
  }
  const allowing = asked.policies.some(
    (policy) => policy.kind === 'AuthorizationPolicy' && !policy.dryRun && policy.action === 'ALLOW',
  );
  return {
    outcome: decision.verdict === 'allow' ? 'allowed' : 'denied',
    by: 'nothing',
    reason: allowing ? 'no rule of an ALLOW matches' : 'no policy speaks of it',
    asked,
  };
}

function ruleOutcome(outcome: CallOutcome, rule: RuleReference, asked: Asked, reason: string): Outcome {
  const policy = find(asked.policies, rule);
  return {
    outcome,
    by: { kind: 'AuthorizationPolicy', ...rule },
    ...(policy && { at: describeOrigin(policy.meta.origin) }),
    reason,
    asked,
  };
}

function find(policies: readonly Policy[], { namespace, name }: RuleReference): Policy | undefined {
  return policies.find(
    ({ kind, meta }) => kind === 'AuthorizationPolicy' && meta.namespace === namespace && meta.name === name,
  );
}

function deciderOf({ kind, meta }: Policy, rule: number | undefined): ExpectedDecider {
  return { kind, namespace: meta.namespace, name: meta.name, rule };
}

/** How the port takes connections, and by which policy; undefined: an operator's order, or nothing at all. */
function modeOf(
  policies: readonly Policy[],
  port: number,
  strict: boolean,
): { readonly mode: Exclude<MutualTlsMode, 'UNSET'>; readonly by: PeerAuthentication | undefined } {
  const mode = mutualTlsModeOf(policies, port);
  if (strict && mode === 'PERMISSIVE') return { mode: 'STRICT', by: undefined };
  // One alone says the same as all together where it is the one that counts.
  const by = policies.find((policy) => policy.kind === 'PeerAuthentication' && says(policy, port));
  return { mode, by: by?.kind === 'PeerAuthentication' ? by : undefined };
}

function says({ selector, portLevel, mode }: PeerAuthentication, port: number): boolean {
  const ofPort = selector === undefined ? undefined : portLevel.get(port);
  return (ofPort !== undefined && ofPort !== 'UNSET') || mode !== 'UNSET';
}
