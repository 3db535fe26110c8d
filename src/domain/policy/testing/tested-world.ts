import type { Workload } from '../../mesh/index.ts';
import { indexPolicies, type PolicyIndex } from '../select.ts';
import type { PolicyWorld } from '../world/index.ts';
import type { Caller, TestCall } from './model.ts';
import type { Callee } from './outcome.ts';

/** A world, with what is worked out of it once for all calls. */
export interface TestedWorld {
  readonly world: PolicyWorld;
  readonly index: PolicyIndex;
  /** Of the caller's first workload; undefined where the world has none. */
  addressOf(caller: Caller): string | undefined;
  /** By which callers address the workload. */
  hostOf(workload: Workload): string;
  /** All that a call may arrive at, or why there is nothing. */
  calleesOf(to: TestCall['to']): readonly Callee[] | string;
}

export function testedWorld(world: PolicyWorld): TestedWorld {
  const workloads = [...world.workloads.values()];
  const byAccount = new Map<string, Workload>();
  const byName = new Map<string, Workload[]>();
  for (const workload of workloads) {
    const account = `${workload.namespace}/${workload.serviceAccount}`;
    if (!byAccount.has(account)) byAccount.set(account, workload);
    const name = `${workload.namespace}/${workload.name}`;
    byName.set(name, [...(byName.get(name) ?? []), workload]);
  }
  const hosts = new Map<string, string>();
  for (const service of world.services.values()) {
    for (const { workload } of service.ports.flatMap(({ endpoints }) => endpoints))
      if (workload !== undefined && !hosts.has(workload)) hosts.set(workload, service.hosts[0] ?? '');
  }
  const callees = (to: TestCall['to']) => {
    const name = `${to.namespace}/${to.name}`;
    const named = byName.get(name);
    if (named) return ofWorkloads(named, to.port);
    return ofService(world, name, to.port);
  };
  return {
    world,
    index: indexPolicies(world),
    addressOf: (caller) =>
      caller.kind === 'account'
        ? byAccount.get(`${caller.namespace}/${caller.serviceAccount}`)?.addresses[0]
        : undefined,
    hostOf: (workload) => hosts.get(workload.id) ?? `${workload.name}.${workload.namespace}`,
    calleesOf: callees,
  };
}

/** @returns what a call to the port arrives at; where none is named, the only one that there is */
function ofWorkloads(workloads: readonly Workload[], port: number | undefined): readonly Callee[] | string {
  const found: Callee[] = [];
  for (const workload of workloads) {
    const callee = calleeOf(workload, port);
    if (typeof callee === 'string') return callee;
    found.push(callee);
  }
  return found;
}

function calleeOf(workload: Workload, port: number | undefined): Callee | string {
  const { ports, proxy } = workload;
  const name = `${workload.namespace}/${workload.name}`;
  const known = ports.map((each) => each.port).join(', ');
  if (port === undefined) {
    const [only, ...others] = ports;
    if (only && others.length === 0) return { workload, port: only.port, tcp: only.protocol === 'tcp' };
    return only
      ? `${name} has several ports: write ${name}:PORT with one of ${known}`
      : `${name} has no port: write ${name}:PORT`;
  }
  const declared = ports.find((each) => each.port === port);
  if (declared) return { workload, port, tcp: declared.protocol === 'tcp' };
  // Capture brings every port to the proxy; of what is not declared nobody knows the protocol.
  if (proxy !== 'explicit') return { workload, port, tcp: true };
  return `${name} has no port ${port}; it has ${known || 'none'}`;
}

function ofService(
  { services, workloads }: PolicyWorld,
  name: string,
  port: number | undefined,
): readonly Callee[] | string {
  const service = services.get(name);
  if (!service) return `no workload and no service is called ${name}`;
  const known = service.ports.map((each) => each.port).join(', ');
  const chosen = service.ports.filter((each) => port === undefined || each.port === port);
  const [one, ...others] = chosen;
  if (!one) return `the service ${name} has no port ${port}; it has ${known}`;
  if (others.length > 0)
    return `the service ${name} has several ports: write ${name}:PORT with one of ${known}`;
  const found = one.endpoints.flatMap((endpoint): readonly (Callee | string)[] => {
    const workload = endpoint.workload === undefined ? undefined : workloads.get(endpoint.workload);
    return workload ? [calleeOf(workload, endpoint.port)] : [];
  });
  const fault = found.find((each) => typeof each === 'string');
  if (fault !== undefined) return fault;
  const callees = found.filter((each) => typeof each !== 'string');
  return callees.length > 0 ? callees : `no workload stands behind the service ${name}`;
}
