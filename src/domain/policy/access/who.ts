import { compareText } from '../../../kernel/index.ts';
import type { PolicyRequest } from '../decide/index.ts';
import { allowedRegions, type ExactLimits } from '../exact/index.ts';
import { alikeCallees, type Callee, type CalleeGroup, calleesOf } from '../explain/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { mergedWays, type Way } from './merge.ts';
import type { Access, PortAccess } from './model.ts';
import { regionWords } from './words.ts';

/** More ways in than that nobody reads. */
const mostRegions = 500;

/**
 * Every caller, and all that it may ask for, of a workload or a service: worked out of the policies, for all requests.
 * @param to as `calleesOf` takes it; without a port all that the registry declares
 * @throws CitadelError as `calleesOf` does
 */
export function whoReaches(
  world: PolicyWorld,
  to: string,
  limits: Partial<ExactLimits> = {},
): readonly PortAccess[] {
  return accessOf(world, portsMeant(world, to), limits);
}

/** Of each of these ports, those that are decided alike together. */
export function accessOf(
  world: PolicyWorld,
  callees: readonly Callee[],
  limits: Partial<ExactLimits> = {},
): readonly PortAccess[] {
  return alikeCallees(world, callees).map((group) => groupAccess(world, group, limits));
}

/** Of one port of those that are decided alike. @param caller as `allowedRegions` takes it */
export function groupAccess(
  world: PolicyWorld,
  { members, protocol }: Pick<CalleeGroup, 'members' | 'protocol'>,
  limits: Partial<ExactLimits>,
  caller?: Pick<PolicyRequest, 'sourcePrincipal'>,
): PortAccess {
  const [{ workload, port }] = members;
  const workloads = members.map((each) => each.workload.id);
  const enforced = workload.proxy !== 'none';
  if (!enforced)
    return { workloads, port, protocol, enforced, access: [], complete: true, undecided: undefined };
  const place = { workload: workload.id, port };
  const reach = allowedRegions(world, place, { regions: mostRegions, ...limits }, caller);
  return {
    workloads,
    port,
    protocol,
    enforced,
    access: toAccess(mergedWays(reach.regions), protocol),
    complete: reach.complete,
    undecided: reach.undecided,
  };
}

/** In words, those of one caller behind one another. */
function toAccess(ways: readonly Way[], protocol: PortAccess['protocol']): readonly Access[] {
  return ways
    .map(({ region, witness }) => ({
      ...regionWords(region, protocol === 'tcp' ? 'tcp' : 'http'),
      region,
      example: witness,
    }))
    .toSorted((a, b) => compareText(a.callers, b.callers) || compareText(a.paths, b.paths));
}

/** What a text means, on every port where it names none. */
function portsMeant(world: PolicyWorld, to: string): readonly Callee[] {
  if (/:\d+$/.test(to)) return calleesOf(world, to);
  const ports = [
    ...[...world.services.values()]
      .filter((service) => [service.id, service.name, ...service.hosts].includes(to))
      .flatMap((service) => service.ports.map(({ port }) => port)),
    ...[...world.workloads.values()]
      .filter(({ id, name, namespace }) => [id, name, `${namespace}/${name}`].includes(to))
      .flatMap((workload) => workload.ports.map(({ port }) => port)),
  ];
  if (ports.length === 0) return calleesOf(world, to);
  const places = new Map<string, Callee>();
  for (const port of new Set(ports))
    for (const callee of calleesOf(world, `${to}:${port}`)) {
      const key = `${callee.workload.id}:${callee.port}`;
      places.set(key, places.get(key) ?? callee);
    }
  return [...places.values()];
}
