import type { ControlPlane, MeshSnapshot, ProxyState, Workload } from '../mesh/index.ts';
import type { Denials, PlaintextCaller, WorkloadEvidence } from './model.ts';
import { type PortMode, portModes } from './modes.ts';
import { type Readiness, readiness } from './readiness.ts';

export interface CallerStatus extends PlaintextCaller {
  readonly port: number;
  /** Workloads of that address; more than one where they share a host. */
  readonly workloads: readonly string[];
}

/** One workload, for whoever thinks of making it strict. */
export interface MutualTlsStatus {
  readonly workload: string;
  readonly namespace: string;
  readonly name: string;
  readonly modes: readonly PortMode[];
  /** The last one first. */
  readonly callers: readonly CallerStatus[];
  readonly denials: readonly (Denials & { readonly port: number })[];
  /** Since when the evidence is complete; undefined: it is not. */
  readonly completeSince: Date | undefined;
  readonly strict: Readiness;
  /** The order by which it takes mutual TLS alone, whatever PERMISSIVE policies say. */
  readonly enforcedBy: string | undefined;
}

export interface StatusQuery {
  readonly namespace: string | undefined;
  readonly workload: string | undefined;
  /** Milliseconds. */
  readonly window: number;
  readonly now: Date;
}

type Mesh = Pick<ControlPlane, 'snapshot' | 'view' | 'proxies'>;

export interface KnownOfWorkloads {
  evidence(workload: string): WorkloadEvidence | undefined;
  enforcedBy(workload: Workload): string | undefined;
}

/** Of every workload with a proxy that is asked for, in the order of their ids. */
export function mutualTlsStatus(
  mesh: Mesh,
  known: KnownOfWorkloads,
  { namespace, workload, window, now }: StatusQuery,
): MutualTlsStatus[] {
  const snapshot = mesh.snapshot();
  if (!snapshot) return [];
  const proxies = byWorkload(mesh.proxies());
  const byAddress = addresses(snapshot);
  return [...snapshot.workloads.values()]
    .filter((each) => each.proxy !== 'none')
    .filter((each) => namespace === undefined || each.namespace === namespace)
    .filter((each) => workload === undefined || each.name === workload || each.id === workload)
    .flatMap((each) => {
      const { id, namespace: within, name } = each;
      const view = mesh.view(id);
      if (!view) return [];
      const evidence = known.evidence(id) ?? noEvidence(id);
      const states = proxies.get(id) ?? [];
      return {
        workload: id,
        namespace: within,
        name,
        modes: portModes(view, states, evidence.counters, now),
        callers: callersOf(evidence, byAddress),
        denials: [...evidence.ports].flatMap(([port, { denials }]) => (denials ? { port, ...denials } : [])),
        completeSince: evidence.coverage?.since,
        strict: readiness(evidence, now, window),
        enforcedBy: known.enforcedBy(each),
      };
    });
}

/** Of a workload that nothing was heard of. */
export function noEvidence(workload: string): WorkloadEvidence {
  return {
    workload,
    ports: new Map(),
    coverage: undefined,
    confirmedAt: undefined,
    brokenAt: undefined,
    counters: undefined,
  };
}

function callersOf(
  { ports }: WorkloadEvidence,
  byAddress: ReadonlyMap<string, readonly string[]>,
): CallerStatus[] {
  return [...ports]
    .flatMap(([port, { callers }]) =>
      callers.map((caller) => ({ port, ...caller, workloads: byAddress.get(caller.address) ?? [] })),
    )
    .toSorted((a, b) => b.last.getTime() - a.last.getTime());
}

function byWorkload(states: readonly ProxyState[]): ReadonlyMap<string, readonly ProxyState[]> {
  const found = new Map<string, ProxyState[]>();
  for (const state of states) {
    const known = found.get(state.workload);
    if (known) known.push(state);
    else found.set(state.workload, [state]);
  }
  return found;
}

function addresses({ workloads }: MeshSnapshot): ReadonlyMap<string, readonly string[]> {
  const byAddress = new Map<string, string[]>();
  for (const { id, addresses: own } of workloads.values())
    for (const address of own) byAddress.set(address, [...(byAddress.get(address) ?? []), id]);
  return byAddress;
}
