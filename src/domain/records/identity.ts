import type { DecisionRecord } from '../ports/index.ts';

/** What makes a record one with another, so that their calls are counted together: all but counts, times, addresses, and how the workload is labelled. */
export type DecisionIdentity = Omit<
  DecisionRecord,
  'addresses' | 'first' | 'last' | 'count' | 'serviceAccount' | 'labels'
>;

/** Equal for what is counted together. Texts in it may be a caller's. */
export function decisionKey(record: DecisionIdentity): string {
  const { workload, period, port, transport, caller, method, path, host, serverName } = record;
  const { decision, refusedBy, policy, rule, rules, sampled, lacks } = record;
  return JSON.stringify([
    workload,
    period.getTime(),
    port,
    transport,
    caller ?? null,
    method ?? null,
    path ?? null,
    host ?? null,
    serverName ?? null,
    decision,
    refusedBy ?? null,
    policy ?? null,
    rule ?? null,
    sampled,
    // Addresses may become too many while calls are counted.
    lacks.filter((attribute) => attribute !== 'address').toSorted(),
    // Of those that were counted before there were any, the key is as it was.
    ...(rules === undefined ? [] : [rules]),
  ]);
}
