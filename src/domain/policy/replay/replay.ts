import { sameMembers } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import { policyHash } from '../canonical.ts';
import { policiesByWorkload } from '../holding.ts';
import type { Policy } from '../model.ts';
import { indexPolicies, mutualTlsModeOf } from '../select.ts';
import type { PolicyWorld } from '../world/index.ts';
import { calleeFinder } from './callee.ts';
import { evaluate, type Judgement, type ReplayedDecision, type TokenRules } from './evaluate.ts';
import type { ReplayReport } from './model.ts';
import { type Kind, ReplayCounts } from './report.ts';

/**
 * Recorded calls decided again under a candidate. What differs from what was recorded is a change only where the present
 * policies decide as was recorded; else it is a mismatch, which says nothing of the candidate.
 * @param before the present world @param after the same workloads under the candidate
 */
export function replay(
  records: Iterable<DecisionRecord>,
  before: PolicyWorld,
  after: PolicyWorld,
): ReplayReport {
  const judge = judgeOf(before, after);
  const counts = new ReplayCounts();
  for (const record of records) {
    const judged = judge(record);
    if (judged) counts.add(kindOf(record, judged), { record, ...judged });
    else counts.addGone(record);
  }
  return counts.report();
}

interface Judged {
  readonly callee: string;
  readonly before: ReplayedDecision;
  readonly after: ReplayedDecision;
}

/** Undefined for a record of what is there no more. */
function judgeOf(before: PolicyWorld, after: PolicyWorld): (record: DecisionRecord) => Judged | undefined {
  const calleeOf = calleeFinder(after.workloads);
  const [holdingBefore, holdingAfter] = [before, after].map((world) =>
    policiesByWorkload(indexPolicies(world), after.workloads.values()),
  );
  const judgements = new Map<string, Judgements>();
  const judgementsOf = (callee: Workload, port: number, tcp: boolean): Judgements => {
    const key = `${callee.id} ${port} ${tcp}`;
    const known = judgements.get(key);
    if (known) return known;
    const of = (world: PolicyWorld, holding: typeof holdingBefore) =>
      judgement(world, callee, { policies: holding?.get(callee.id) ?? [], port, tcp });
    const [was, will] = [of(before, holdingBefore), of(after, holdingAfter)];
    const rules = { was: tokenRules(was, was), will: tokenRules(was, will) };
    // Most of what a candidate does not speak of: there is nothing to decide twice.
    const isSame =
      before.settings === after.settings &&
      was.mode === will.mode &&
      sameMembers(was.policies, will.policies);
    const made = { was, will, rules, isSame };
    judgements.set(key, made);
    return made;
  };
  return (record) => {
    const callee = calleeOf(record);
    const tcp = callee && isTcp(callee, record);
    if (!callee || tcp === undefined) return undefined;
    const { was, will, rules, isSame } = judgementsOf(callee, record.port, tcp);
    const { comesToTokens, ...decidedBefore } = evaluate(record, was, rules.was);
    const name = `${callee.namespace}/${callee.serviceAccount}`;
    if (isSame) return { callee: name, before: decidedBefore, after: decidedBefore };
    const recorded = { mode: was.mode, comesToTokens };
    const { comesToTokens: _, ...decidedAfter } = evaluate(record, will, rules.will, recorded);
    return { callee: name, before: decidedBefore, after: decidedAfter };
  };
}

interface Judgements {
  readonly was: Judgement;
  readonly will: Judgement;
  readonly rules: { readonly was: TokenRules; readonly will: TokenRules };
  /** Whether both worlds decide by the very same here. */
  readonly isSame: boolean;
}

/**
 * Undefined for a port that is there no more. What capture brings to ports that nobody declares is bytes; a record
 * without its port may be of any.
 */
function isTcp({ ports, proxy }: Workload, record: DecisionRecord): boolean | undefined {
  const declared = ports.find(({ port }) => port === record.port);
  if (declared) return declared.protocol === 'tcp';
  if (record.lacks.includes('caller')) return false;
  return proxy === 'capture' ? true : undefined;
}

function judgement(
  { settings, strict }: PolicyWorld,
  callee: Workload,
  {
    policies,
    port,
    tcp,
  }: { readonly policies: readonly Policy[]; readonly port: number; readonly tcp: boolean },
): Judgement {
  const { trustDomain, trustDomainAliases, authorizationProviders } = settings;
  const mode = mutualTlsModeOf(policies, port);
  return {
    policies,
    mode: mode === 'PERMISSIVE' && strict.has(callee.id) ? 'STRICT' : mode,
    tcp,
    trustDomain,
    trustDomainAliases,
    providers: new Set(authorizationProviders.map(({ name }) => name)),
  };
}

function tokenRules(was: Judgement, will: Judgement): TokenRules {
  const rules = ({ policies }: Judgement) =>
    policies.filter(({ kind }) => kind === 'RequestAuthentication').map((policy) => policyHash(policy));
  const [old, present] = [rules(was), rules(will)];
  if (present.length === 0) return 'none';
  return old.toSorted().join() === present.toSorted().join() ? 'as-recorded' : 'changed';
}

function kindOf(record: DecisionRecord, { before, after }: Judged): Kind {
  if (after.verdict === 'unknown') return 'undecided';
  const recorded = record.decision === 'allowed' ? 'allow' : 'deny';
  if (before.verdict !== 'unknown' && before.verdict !== recorded) return 'mismatch';
  return after.verdict === recorded ? 'unchanged' : 'change';
}
