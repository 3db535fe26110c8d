import {
  type BenchWorkload,
  changedPolicyText,
  isCaller,
  type Shape,
  sharedText,
  workloadsOf,
  workloadText,
} from './registry.ts';

/** An edit of the registry, and whom it concerns. */
export interface Change {
  readonly what: string;
  readonly file: string;
  readonly text: string;
  /** Proxies that must be configured anew for it, and no others. */
  readonly concerns: number;
  /** By type: the resources that must come to all proxies together, and no others. */
  readonly resends: Readonly<Record<string, number>>;
}

/** Each once, in this order, over the registry as it was written. @param connected the workloads whose proxies are there */
export function changesOf(shape: Shape, connected: readonly BenchWorkload[]): readonly Change[] {
  const [first] = workloadsOf(shape);
  if (!first) throw new Error('a mesh has at least one workload');
  const all = connected.length;
  const self = connected.filter(({ name }) => name === first.name).length;
  const callers = connected.filter(
    (workload) => workload.name === first.name || isCaller(workload, first.service, shape),
  ).length;
  const calling = connected.filter((workload) => isCaller(workload, first.service, shape)).length;
  return [
    {
      what: 'endpoints of the service that all call',
      file: 'changing-shared.yaml',
      text: sharedText(3),
      concerns: all,
      resends: { ClusterLoadAssignment: all },
    },
    {
      what: 'a policy of the whole mesh appears',
      file: 'changing-mesh-policy.yaml',
      text: changedPolicyText('/first', undefined),
      concerns: all,
      // A filter of requests and one of connections. Of these it denies all: those that are open are judged anew.
      resends: { Listener: all, TypedExtensionConfig: 2 * all },
    },
    {
      what: 'that policy is edited',
      file: 'changing-mesh-policy.yaml',
      text: changedPolicyText('/second', undefined),
      concerns: all,
      resends: { TypedExtensionConfig: all },
    },
    {
      what: 'a policy of one workload',
      file: 'changing-one-policy.yaml',
      text: changedPolicyText('/first', first),
      concerns: self,
      resends: { Listener: self, TypedExtensionConfig: 2 * self },
    },
    {
      what: 'the address of one workload',
      file: 'changing-workload.yaml',
      text: workloadText({ ...first, address: '10.203.0.1' }, shape),
      concerns: callers,
      // Under capture a proxy listens on all addresses.
      resends: {
        Cluster: calling,
        ClusterLoadAssignment: calling,
        ...(shape.mode === 'explicit' ? { Listener: self } : {}),
      },
    },
  ];
}
