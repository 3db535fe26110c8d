import { describeOrigin, type Policy, policyKeyOf } from '../policy/index.ts';
import { tooMuch } from './bounded-policies.ts';
import type { ProxyState } from './proxy-tracker.ts';
import { hasTooMuch, type MeshIndex } from './view.ts';

/** How far a policy has come: accepted here, and by the proxies of the workloads for which it holds. */
export interface PolicyStatus {
  readonly policy: Policy;
  /** For how many workloads it holds. */
  readonly workloads: number;
  /** Streams of their proxies that have accepted all that they should have; an ACK says parsed, not used. */
  readonly current: number;
  readonly pending: number;
  /** By their proxies, or for them: all their policies are too much, or the server could not make their configuration. */
  readonly refusals: readonly { readonly workload: string; readonly error: string }[];
  /** Where other policies of this name stand, which say something else and do not count. */
  readonly shadowed: readonly string[];
}

export function policyStatuses(index: MeshIndex, proxies: readonly ProxyState[]): readonly PolicyStatus[] {
  const byWorkload = new Map<string, ProxyState[]>();
  for (const proxy of proxies)
    byWorkload.set(proxy.workload, [...(byWorkload.get(proxy.workload) ?? []), proxy]);
  const holders = new Map<Policy, string[]>();
  for (const [workload, policies] of index.policiesByWorkload) {
    for (const policy of policies) {
      const known = holders.get(policy);
      if (known) known.push(workload);
      else holders.set(policy, [workload]);
    }
  }
  const overfull = new Set(
    [...byWorkload.keys()].filter((id) => {
      const workload = index.snapshot.workloads.get(id);
      return workload && hasTooMuch(index, workload);
    }),
  );
  const shadowed = new Map<string, string[]>();
  for (const { object, policy } of index.snapshot.shadowed) {
    if (policy) shadowed.set(object, [...(shadowed.get(object) ?? []), describeOrigin(policy.origin)]);
  }
  return index.snapshot.policies.map((policy) => {
    const workloads = holders.get(policy) ?? [];
    const streams = workloads.flatMap((workload) => byWorkload.get(workload) ?? []);
    const refusals = streams.flatMap(({ workload, failure, resources }) => {
      const error = overfull.has(workload)
        ? tooMuch
        : (failure ?? resources.find((resource) => resource.error !== undefined)?.error);
      return error === undefined ? [] : [{ workload, error }];
    });
    const current = streams.filter((each) => !overfull.has(each.workload) && isCurrent(each)).length;
    return {
      policy,
      workloads: workloads.length,
      current,
      pending: streams.length - current - refusals.length,
      refusals,
      shadowed: shadowed.get(policyKeyOf(policy)) ?? [],
    };
  });
}

/** What nobody asked for, as endpoints of a service that is not called, is not waited for. */
export function isCurrent({ isBehind, failure, resources }: ProxyState): boolean {
  return (
    !isBehind &&
    failure === undefined &&
    resources.every(
      ({ wanted, sent, accepted, error }) =>
        error === undefined && (accepted === wanted || (sent === undefined && wanted !== undefined)),
    )
  );
}
