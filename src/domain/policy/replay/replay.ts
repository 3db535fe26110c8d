import type { DecisionRecord } from '../../ports/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { type Judged, judgeOf, type RulesVersions } from './judge.ts';
import type { ReplayReport } from './model.ts';
import { type Kind, ReplayCounts } from './report.ts';

/**
 * Recorded calls decided again under a candidate. What differs from what was recorded is a change only where the present
 * policies decide as was recorded; else it is a mismatch, which says nothing of the candidate.
 * @param before the present world @param after the same workloads under the candidate
 * @param versionsOf by which records are told that were decided by other rules than those of now; default: none are
 */
export function replay(
  records: Iterable<DecisionRecord>,
  before: PolicyWorld,
  after: PolicyWorld,
  versionsOf?: RulesVersions,
): ReplayReport {
  const judge = judgeOf(before, after, versionsOf);
  const counts = new ReplayCounts();
  for (const record of records) {
    const judged = judge(record);
    if (judged) counts.add(kindOf(record, judged), { record, ...judged });
    else counts.addGone(record);
  }
  return counts.report();
}

function kindOf(record: DecisionRecord, { before, after }: Judged): Kind {
  if (after.verdict === 'unknown') return 'undecided';
  const recorded = record.decision === 'allowed' ? 'allow' : 'deny';
  if (before.verdict !== 'unknown' && before.verdict !== recorded) return 'mismatch';
  return after.verdict === recorded ? 'unchanged' : 'change';
}
