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
  readonly before: ReplayedDecision;
  readonly after: ReplayedDecision;
}

/** Undefined for a record of what is there no more. */
function judgeOf(before: PolicyWorld, after: PolicyWorld): (record: DecisionRecord) => Judged | undefined {
  const calleeOf = calleeFinder(after.workloads);
  const [holdingBefore, holdingAfter] = [before, after].map((world) =>
    policiesByWorkload(indexPolicies(world), after.workloads.values()),
  );
  return (record) => {
    const callee = calleeOf(record);
    if (!callee) return undefined;
    const tcp = isTcp(callee, record);
    if (tcp === undefined) return undefined;
    const was = judgement(before, callee, { policies: holdingBefore?.get(callee.id) ?? [], record, tcp });
    const will = judgement(after, callee, { policies: holdingAfter?.get(callee.id) ?? [], record, tcp });
    const { comesToTokens, ...decidedBefore } = evaluate(record, was, tokenRules(was.policies, was.policies));
    const recorded = { mode: was.mode, comesToTokens };
    const { comesToTokens: _, ...decidedAfter } = evaluate(
      record,
      will,
      tokenRules(was.policies, will.policies),
      recorded,
    );
    return { before: decidedBefore, after: decidedAfter };
  };
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
    record,
    tcp,
  }: { readonly policies: readonly Policy[]; readonly record: DecisionRecord; readonly tcp: boolean },
): Judgement {
  const { trustDomain, trustDomainAliases, authorizationProviders } = settings;
  const mode = mutualTlsModeOf(policies, record.port);
  return {
    policies,
    mode: mode === 'PERMISSIVE' && strict.has(callee.id) ? 'STRICT' : mode,
    tcp,
    trustDomain,
    trustDomainAliases,
    providers: new Set(authorizationProviders.map(({ name }) => name)),
  };
}

function tokenRules(was: readonly Policy[], will: readonly Policy[]): TokenRules {
  const rules = (policies: readonly Policy[]) =>
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
