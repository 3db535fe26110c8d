import { normalizePath, withWordLists } from '../decide/index.ts';
import {
  type CallExplanation,
  type CalleeGroup,
  type CallQuestion,
  explainCall,
  type PolicyReference,
  type RuleComparison,
  type StepFinding,
  seenCall,
} from '../explain/index.ts';
import { describeOrigin, type Policy } from '../model.ts';
import type { CallOutcome, ExpectedDecider, TestCall } from './model.ts';

/** What a call comes to at its callees, and by what. */
export interface Outcome {
  /** `open`: it hangs on what the case does not say. */
  readonly outcome: CallOutcome | 'open';
  readonly by: ExpectedDecider;
  /** Where `by` was written; absent for nothing. */
  readonly at?: string;
  /** In words, for who expected something else. */
  readonly reason: string;
  readonly asked: Asked;
}

/** What stood before the policies of a workload, and how far it came. */
export interface Asked {
  readonly policies: readonly Policy[];
  readonly comparison: RuleComparison;
  readonly steps: ReadonlySet<StepFinding['step']>;
}

type Question = Omit<CallQuestion, 'call' | 'locate' | 'most'>;

export function outcomeOf(call: TestCall, question: Question): Outcome {
  const given = { ...question, call: givenCall(call) };
  const explanation = explainCall({ ...given, most: 1 });
  const asked = askedOf(given, explanation);
  if (call.token === 'invalid' && isToBeVerified(question.callees) && !endsBeforeTokens(explanation))
    return {
      outcome: 'unauthorized',
      ...firstAuthentication(question.callees),
      reason: 'no key verifies its token',
      asked: { ...asked, steps: onlyCustom },
    };
  const result = resultOf(explanation, call);
  // For its issuer there is no rule: all of them refuse it.
  const all = explanation.decidedBy === 'token' && result.by === 'nothing';
  return { ...result, ...(all ? firstAuthentication(question.callees) : {}), asked };
}

function givenCall(call: TestCall): CallQuestion['call'] {
  const { method, path, host, headers, token, ip, remoteIp, sni, custom, metadata } = call;
  return {
    method,
    path,
    withQuery: true,
    host,
    headers,
    noOtherHeaders: true,
    token: token === undefined || token === 'invalid' ? 'none' : token,
    sourceIp: ip,
    remoteIp,
    sni,
    answers: new Map(Object.entries(custom)),
    metadata: metadata ?? {},
  };
}

function isToBeVerified({ policies, protocol }: CalleeGroup): boolean {
  return (
    protocol !== 'tcp' &&
    policies.some((policy) => policy.kind === 'RequestAuthentication' && policy.jwtRules.length > 0)
  );
}

/** Whether it is refused before anybody looks at its token, or nobody does. */
function endsBeforeTokens({ decidedBy, verdict, policies: { step } }: CallExplanation): boolean {
  if (decidedBy === 'transport' || decidedBy === 'nobody') return true;
  return verdict === 'deny' && (step === 'PATH' || step === 'CUSTOM');
}

function firstAuthentication({ policies }: CalleeGroup): Pick<Outcome, 'by' | 'at'> {
  const first = policies.find(({ kind }) => kind === 'RequestAuthentication');
  if (!first) return { by: 'nothing' };
  const { namespace, name, origin } = first.meta;
  return {
    by: { kind: 'RequestAuthentication', namespace, name, rule: undefined },
    at: describeOrigin(origin),
  };
}

const onlyCustom: ReadonlySet<StepFinding['step']> = new Set(['CUSTOM']);

function askedOf(question: CallQuestion, { decidedBy, policies }: CallExplanation): Asked {
  const { request, isKnown, context } = seenCall(question);
  const { http } = context.tcp ? {} : request;
  const reached = policies.steps.filter(({ reached: came }) => came).map(({ step }) => step);
  const refused = policies.steps.some(({ step, outcome }) => step === 'PATH' && outcome === 'denies');
  return {
    policies: question.callees.policies,
    comparison: {
      facts: {
        request,
        path: http && normalizePath(http.path),
        claims: withWordLists(request.jwt, request.spaceDelimitedClaims),
        mesh: context,
      },
      isKnown,
      tcp: context.tcp,
      locate: () => undefined,
    },
    steps: decidedBy === 'token' ? onlyCustom : new Set(decidedBy === 'policies' && !refused ? reached : []),
  };
}

type Result = Omit<Outcome, 'asked'>;

function resultOf(explanation: CallExplanation, call: TestCall): Result {
  const { verdict, decidedBy, dependsOn } = explanation;
  if (verdict === 'depends') {
    const { attributes, providers } = dependsOn;
    const open = [
      ...attributes.map((each) => fieldNames[each] ?? each),
      ...providers.map((each) => `custom: { ${each}: allow }`),
    ];
    return {
      outcome: 'open',
      by: 'nothing',
      reason: `hangs on what the case does not say: write ${open.join(', ')}`,
    };
  }
  switch (decidedBy) {
    case 'nobody':
      return {
        outcome: 'allowed',
        by: 'nothing',
        reason: 'no proxy stands beside it: no policy is enforced there',
      };
    case 'transport':
      return refusedByTransport(explanation);
    case 'token':
      return refusedToken(explanation);
    case 'policies':
      return byPolicies(explanation, call);
  }
}

/** What an author writes to say it. */
const fieldNames: Readonly<Record<string, string>> = {
  'source.ip': 'ip',
  'remote.ip': 'remoteIp',
  'destination.ip': 'addresses of the workload',
  'request.method': 'method',
  'request.path': 'path',
  'request.query': 'path',
  'request.host': 'host',
  'request.token': 'jwt',
  'connection.sni': 'sni',
};

function refusedByTransport({ transport: { kind, modeBy, policy } }: CallExplanation): Result {
  const reason =
    kind === 'plaintext'
      ? `mutual TLS alone is taken there${modeBy === 'operator' ? ', by an operator’s order' : ' (STRICT)'}`
      : 'mutual TLS is off there (DISABLE)';
  return { outcome: 'refused', ...(modeBy === 'policy' ? deciderOf(policy) : { by: 'nothing' }), reason };
}

function refusedToken({ token }: CallExplanation): Result {
  const { refusal, by, path, wanted = [], came = [] } = token ?? {};
  const rule = /\[(\d+)\]$/.exec(path ?? '')?.[1];
  const reasons = {
    issuer: `no rule is for its issuer, ${came.join(', ') || 'which it does not name'}`,
    audience: `it is not for ${wanted.join(' or ')}`,
    expired: `it ended at ${came.join('')}`,
    'not-yet': `it begins at ${came.join('')}`,
  };
  return {
    outcome: refusal === 'audience' ? 'denied' : 'unauthorized',
    ...deciderOf(by, rule === undefined ? undefined : Number(rule)),
    reason: `its token is refused: ${reasons[refusal ?? 'issuer']}`,
  };
}

function byPolicies({ verdict, transport, policies }: CallExplanation, call: TestCall): Result {
  const outcome = verdict === 'allow' ? 'allowed' : 'denied';
  const { step, by, near, steps } = policies;
  if (step === 'PATH')
    return {
      outcome,
      by: 'nothing',
      reason: 'its path, method or host can be read in more than one way, and policies compare it',
    };
  if (by) {
    const answers = steps.find((each) => each.step === 'CUSTOM')?.providers ?? [];
    const missing = answers.find(({ answer }) => answer === 'missing');
    const reason =
      step !== 'CUSTOM'
        ? `${step} matches`
        : missing
          ? `the provider ${missing.name} is not there to be asked`
          : 'its provider says no';
    return { outcome, ...deciderOf(by.policy, by.rule), reason };
  }
  if (outcome === 'allowed') return { outcome, by: 'nothing', reason: 'no policy speaks of it' };
  // Who has an identity and shows none is what surprises.
  const hidden =
    call.from.kind !== 'plaintext' && transport.kind === 'plaintext'
      ? `; it comes in plaintext, without an identity (${transport.reason})`
      : '';
  const [nearest] = near;
  if (!nearest) return { outcome, by: 'nothing', reason: `no ALLOW has a rule${hidden}` };
  const missed = nearest.fields.filter((field) => field.outcome === 'misses').map(({ name }) => name);
  const { namespace, name } = nearest.policy;
  return {
    outcome,
    by: 'nothing',
    reason: `no rule of an ALLOW matches; nearest is ${namespace}/${name}[${nearest.rule}], which misses by ${missed.join(', ')}${hidden}`,
  };
}

function deciderOf(policy: PolicyReference | undefined, rule?: number): Pick<Outcome, 'by' | 'at'> {
  if (!policy) return { by: 'nothing' };
  const { kind, namespace, name } = policy;
  return { by: { kind, namespace, name, rule }, at: describeOrigin(policy) };
}
