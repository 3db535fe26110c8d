import { setTimeout } from 'node:timers/promises';
import {
  alikeCallees,
  type CallExplanation,
  callerOf,
  explainCall,
  type GivenCall,
  holdingPolicies,
  holdingVersion,
  type PolicyWorld,
  quoted,
} from '../../domain/policy/index.ts';
import { type Denial, OperatorServiceService } from '../../gen/citadel/v1/operator.ts';
import { isCitadelError } from '../../kernel/index.ts';
import { connectOperator } from '../connection.ts';
import { formatTime, printable } from '../output.ts';
import type { Candidates } from '../policy-candidates.ts';
import { loadWorld, type WorldOptions } from '../policy-world.ts';
import { refusalText } from './policy-denial-text.ts';
import { type CallOptions, givenCall } from './policy-explain-call.ts';
import { explanationText } from './policy-explain-text.ts';

export interface Explained {
  /** Undefined where the callee is not there any more. */
  readonly explanation: CallExplanation | undefined;
  readonly text: string;
  readonly record: Readonly<Record<string, unknown>>;
}

/** Whether the policies for the callee say the same as when the call was denied. */
type Since = 'same' | 'changed' | 'unknown';

/** What the proxy told of a denial, and what policies come to with just that. @throws CitadelError NotFound */
export async function explainDenial(
  id: string,
  options: WorldOptions & CallOptions,
  candidates: Candidates,
): Promise<Explained> {
  const denial = await denialOf(id, options);
  const live = await loadWorld(options);
  const world = candidates.applyTo(live);
  const explanation = explanationOf(denial, world, givenCall(options, world), candidates);
  const before = denial.policiesVersion;
  const now = holdingVersion(live, denial.workload);
  const told: Since = before === '' || now === undefined ? 'unknown' : before === now ? 'same' : 'changed';
  const rulesSince = await sinceOfRules(denial, live);
  // What its proxy had counts, not what it should have had.
  const since = rulesSince === 'changed' ? 'changed' : told;
  const lines = denialLines(denial, { since, rulesSince }, explanation, candidates.assumed);
  const revisions = revisionsOf(denial, live);
  if (revisions && revisions.now !== revisions.old) lines.splice(3, 0, revisionText(denial, revisions));
  return {
    explanation,
    text: [
      ...lines.map((line) => `${printable(line)}\n`),
      ...(explanation ? ['\n', explanationText(explanation, denial)] : []),
    ].join(''),
    record: { denial, policiesSince: since, rulesSince, revisions, explanation },
  };
}

/** Whether the rules that decided are those of now; not known where its proxy did not tell. */
async function sinceOfRules({ rules, workload }: Denial, live: PolicyWorld): Promise<Since> {
  const policies = holdingPolicies(live, workload);
  if (rules === '' || !policies) return 'unknown';
  const { rulesVersionsOf } = await import('../../app/decision-rules.ts');
  return rulesVersionsOf(live.settings)(policies).has(rules) ? 'same' : 'changed';
}

interface Revisions {
  readonly old: number;
  /** Undefined where the policy is there no more. */
  readonly now: number | undefined;
}

/** Of the policy that refused; undefined where that is not certain. */
function revisionsOf({ policy, revision }: Denial, { policies }: PolicyWorld): Revisions | undefined {
  if (revision === 0) return undefined;
  const now = policies.find(
    ({ kind, meta }) => kind === 'AuthorizationPolicy' && `${meta.namespace}/${meta.name}` === policy,
  );
  return { old: revision, now: now?.meta.generation };
}

function revisionText({ policy }: Denial, { old, now }: Revisions): string {
  const present = now === undefined ? 'it is there no more' : `now it is at ${now}`;
  return `  decided by revision ${old} of ${policy}; ${present}`;
}

/** Milliseconds between two looks, and how many there are: a proxy tells within a second. */
const patience = { between: 500, looks: 5 };

async function denialOf(id: string, options: WorldOptions): Promise<Denial> {
  const connection = connectOperator(options);
  try {
    for (let look = 1; ; look += 1) {
      try {
        return await connection.call(OperatorServiceService.getDenial, { id });
      } catch (error) {
        if (!isCitadelError(error, 'NotFound') || look === patience.looks) throw error;
        await setTimeout(patience.between);
      }
    }
  } finally {
    connection.close();
  }
}

function explanationOf(
  denial: Denial,
  world: PolicyWorld,
  given: GivenCall,
  { locate }: Candidates,
): CallExplanation | undefined {
  const workload = world.workloads.get(denial.workload);
  if (!workload || isBeforePolicies(denial)) return undefined;
  const [callees] = alikeCallees(world, [{ workload, port: denial.port, services: [] }]);
  if (!callees) return undefined;
  const caller = callerOf(world, denial.callerId === '' ? 'plaintext' : denial.callerId);
  return explainCall({
    world,
    caller,
    callees,
    call: recordedCall(denial, world, given),
    now: denial.at ?? new Date(),
    locate,
  });
}

/** In a handshake that failed nobody was known, and no policy was asked. */
function isBeforePolicies({ step, transport }: Denial): boolean {
  return step === 'connection' && transport !== 'plaintext';
}

/** Just what the record has, and what was said besides: headers, tokens and queries are never in it. */
function recordedCall(denial: Denial, world: PolicyWorld, given: GivenCall): GivenCall {
  const exact = (part: 'method' | 'path' | 'host') =>
    denial[part] === '' || denial.inexact.includes(part) ? undefined : denial[part];
  const known = (text: string) => (text === '' ? undefined : text);
  return {
    transport: denial.transport === 'mtls' ? 'mtls' : 'plaintext',
    method: exact('method'),
    path: exact('path'),
    withQuery: false,
    host: exact('host'),
    headers: given.headers,
    noOtherHeaders: given.noOtherHeaders,
    token: given.token,
    sourceIp: denial.callerAddress,
    remoteIp: known(denial.remoteAddress),
    destinationIp: known(denial.calleeAddress),
    sni: denial.sni,
    answers: new Map([...answersOf(denial, world), ...given.answers]),
  };
}

/** Whoever was asked has allowed it, where it came as far as to the steps behind. */
function answersOf(
  { step, policy, rule }: Denial,
  { settings, policies }: PolicyWorld,
): GivenCall['answers'] {
  if (step === 'PATH') return new Map();
  if (step !== 'CUSTOM')
    return new Map(settings.authorizationProviders.map(({ name }) => [name, 'allow'] as const));
  const refusing = policies.find(
    (each) => each.kind === 'AuthorizationPolicy' && `${each.meta.namespace}/${each.meta.name}` === policy,
  );
  const provider =
    refusing?.kind === 'AuthorizationPolicy' && refusing.rules[rule] ? refusing.provider : undefined;
  const there = settings.authorizationProviders.some(({ name }) => name === provider);
  return provider !== undefined && there ? new Map([[provider, 'deny']]) : new Map();
}

function denialLines(
  denial: Denial,
  { since, rulesSince }: { readonly since: Since; readonly rulesSince: Since },
  explanation: CallExplanation | undefined,
  assumed: string,
): string[] {
  const { at, workload, port, method, path, host, callerId, callerAddress, inexact, reason } = denial;
  const who =
    callerId === '' ? `somebody in plaintext at ${callerAddress}` : `${callerId} at ${callerAddress}`;
  const request = [method, path].filter((part) => part !== '').join(' ');
  return [
    `Denied at ${formatTime(at)}, as the proxy of ${workload} told:`,
    `  ${who} called port ${port}${request === '' ? '' : `: ${request}`}${host === '' ? '' : `, host ${quoted(host)}`}`,
    `  ${refusalText(denial)}${reason === '' ? '' : `  (Envoy: ${reason})`}`,
    ...(inexact.length > 0
      ? [`  not told as it came, so that nobody compares it: ${inexact.join(', ')}`]
      : []),
    ...(request === '' ? [] : ['  not recorded: headers but the host, the token, the query']),
    isBeforePolicies(denial)
      ? 'No policy was asked: there is nothing to compare.'
      : sinceText(since, rulesSince, explanation, assumed),
    // What is assumed is not what the proxy had.
    ...(explanation && assumed === '' ? disagreement(denial, since, explanation) : []),
  ];
}

/** @param assumed what of the policies is taken otherwise than it holds */
function sinceText(
  since: Since,
  rulesSince: Since,
  explanation: CallExplanation | undefined,
  assumed: string,
): string {
  if (!explanation) return 'The workload is not there any more, so that nothing can be compared now.';
  const told = {
    same: 'The policies for it are the same as then.',
    changed:
      rulesSince === 'same'
        ? 'The policies for it have been changed since, but not the rules that decided it.'
        : 'The policies for it have been changed since.',
    unknown: 'Whether its policies have been changed since is not known.',
  }[since];
  if (assumed !== '') return `${told} ${assumed}, and what was recorded:`;
  return `${told} ${since === 'same' ? 'With what was recorded they' : 'Those of now'} come to:`;
}

/** Where the record alone cannot show what the proxy saw, or the proxy had other policies. */
function disagreement({ step }: Denial, since: Since, { verdict }: CallExplanation): readonly string[] {
  if (since !== 'same') return [];
  if (verdict === 'depends')
    return step === 'ALLOW'
      ? [
          '(The proxy’s word is that no rule matched: where one may have, it missed by what was not recorded.)',
        ]
      : ['(It was denied all the same: what was not recorded made the difference.)'];
  return verdict === 'allow'
    ? [
        '(The proxy denied it: it had other policies then than this server, or what was not recorded made the difference.)',
      ]
    : [];
}
