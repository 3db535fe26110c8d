import { compareText } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { DecisionRecord } from '../../ports/index.ts';
import { stableLabels } from './stable-labels.ts';

/** Finds whom a record speaks of among those who are there. */
export type FindCallee = (record: DecisionRecord) => Workload | undefined;

/**
 * The workload itself; or, where it is gone, as a pod goes with each new version, one of its namespace that has the same
 * service account and labels: the policies that hold for this one would hold for it.
 */
export function calleeFinder(workloads: ReadonlyMap<string, Workload>): FindCallee {
  const successors = new Map<string, Workload>();
  for (const each of [...workloads.values()].toSorted((a, b) => compareText(b.id, a.id)))
    successors.set(likeness(each.namespace, each.serviceAccount, stableLabels(each.labels)), each);
  return ({ workload, serviceAccount, labels }) =>
    workloads.get(workload) ??
    (serviceAccount === undefined
      ? undefined
      : successors.get(likeness(namespaceOf(workload), serviceAccount, labels)));
}

function likeness(
  namespace: string,
  serviceAccount: string,
  labels: Readonly<Record<string, string>>,
): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => compareText(a, b));
  return JSON.stringify([namespace, serviceAccount, sorted]);
}

/** Of `<cluster>/<namespace>/<name>`. */
function namespaceOf(workload: string): string {
  return workload.split('/').at(-2) ?? '';
}
