import { once } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import { canonicalPolicy, policyHash } from '../canonical.ts';
import { policiesByWorkload } from '../holding.ts';
import type { Policy } from '../model.ts';
import { indexPolicies, mutualTlsModeOf } from '../select.ts';
import type { PolicyWorld } from '../world/index.ts';
import type { PortOf, PortProtocol } from './model.ts';
import type { Place } from './outcome.ts';

/** A workload as both worlds have it, and what holds for it in each. */
export interface Pair {
  readonly before: Side;
  readonly after: Side;
}

interface Side {
  readonly world: PolicyWorld;
  readonly workload: Workload;
  readonly policies: readonly Policy[];
}

/** Ports that are decided alike, before and after: by the same policies, read in the same way, in the same mode. */
export interface Group {
  readonly before: Place;
  readonly after: Place;
  readonly members: readonly PortOf[];
  /** One of the workloads. */
  readonly workload: Workload;
  readonly port: number;
}

export interface Places {
  readonly groups: readonly Group[];
  readonly unenforced: number;
  readonly unpaired: number;
  readonly unpairedPorts: number;
}

const nothing: readonly Policy[] = [];
/** Stands for the ports that are not declared and that nobody names. */
const otherPort = 0;

/** The ports of one world, those that are decided alike together. */
export function portGroups(world: PolicyWorld): readonly Group[] {
  return placesOf(world, world).groups;
}

export function placesOf(before: PolicyWorld, after: PolicyWorld): Places {
  const holding = (world: PolicyWorld) => policiesByWorkload(indexPolicies(world), world.workloads.values());
  const [held, holds] = [holding(before), before === after ? undefined : holding(after)];
  const groups = new Map<string, Group & { members: PortOf[] }>();
  const numbers = new Map<readonly Policy[], number>();
  const numberOf = (list: readonly Policy[]) => {
    const number = numbers.get(list) ?? numbers.size;
    numbers.set(list, number);
    return number;
  };
  let unenforced = 0;
  let unpairedPorts = 0;
  let unpaired = [...before.workloads.keys()].filter((id) => !after.workloads.has(id)).length;
  for (const [id, workload] of after.workloads) {
    const was = before.workloads.get(id);
    if (was === undefined) {
      unpaired += 1;
      continue;
    }
    const pair: Pair = {
      before: { world: before, workload: was, policies: held.get(id) ?? nothing },
      after: { world: after, workload, policies: (holds ?? held).get(id) ?? nothing },
    };
    if (workload.proxy === 'none' && was.proxy === 'none') {
      unenforced += workload.ports.length;
      continue;
    }
    const named = new Set([...namedPorts(pair.before.policies), ...namedPorts(pair.after.policies)]);
    for (const port of portsOf(pair, named)) {
      if (!isThere(was, port) || !isThere(workload, port)) {
        unpairedPorts += 1;
        continue;
      }
      const known = port === 'other' || !named.has(port) ? 'other' : port;
      const places = { before: placeOf(pair.before, port, known), after: placeOf(pair.after, port, known) };
      const key = [places.before, places.after]
        .map(
          ({ policies, protocol, mode, proxied }) => `${numberOf(policies)} ${protocol} ${mode} ${proxied}`,
        )
        .concat(String(known))
        .join(' ');
      const member = { workload: id, port };
      const group = groups.get(key);
      if (group) group.members.push(member);
      else
        groups.set(key, {
          ...places,
          members: [member],
          workload,
          port: port === 'other' ? unnamedPort(named, workload) : port,
        });
    }
  }
  return { groups: [...groups.values()], unenforced, unpaired, unpairedPorts };
}

/**
 * The declared ones; under capture all others too, of which those are told apart that a policy names or gives a mode of
 * their own.
 */
function portsOf({ before, after }: Pair, named: ReadonlySet<number>): readonly PortOf['port'][] {
  const declared = [...before.workload.ports, ...after.workload.ports].map(({ port }) => port);
  if (!isCaptured(before.workload) && !isCaptured(after.workload)) return [...new Set(declared)];
  return [...new Set([...declared, ...named].filter((port) => port !== 0)), 'other'];
}

const isCaptured = ({ proxy }: Workload) => proxy === 'capture';

/** A proxy that connections are not brought to takes them on the ports that are declared, and nobody else is there. */
function isThere({ proxy, ports }: Workload, port: PortOf['port']): boolean {
  return proxy !== 'explicit' || ports.some((each) => each.port === port);
}

function placeOf({ world, workload, policies }: Side, port: PortOf['port'], known: PortOf['port']): Place {
  const mode = mutualTlsModeOf(policies, port === 'other' ? otherPort : port);
  const isStrict = mode === 'PERMISSIVE' && world.strict.has(workload.id);
  return {
    policies,
    protocol: protocolOf(workload, port),
    mode: isStrict ? 'STRICT' : mode,
    port: known,
    proxied: workload.proxy !== 'none',
  };
}

function protocolOf({ ports }: Workload, port: PortOf['port']): PortProtocol {
  const declared = ports.find((each) => each.port === port);
  return declared === undefined || declared.protocol === 'tcp' ? 'tcp' : 'http';
}

function unnamedPort(named: ReadonlySet<number>, { ports }: Workload): number {
  const used = new Set([...named, ...ports.map(({ port }) => port)]);
  let port = 12_345;
  while (used.has(port)) port += 1;
  return port;
}

/** All ports that policies name, in a rule or with a mode. */
export const namedPorts = once((policies: readonly Policy[]): ReadonlySet<number> => {
  const ports = new Set<number>();
  for (const policy of policies) {
    if (policy.kind === 'PeerAuthentication') for (const port of policy.portLevel.keys()) ports.add(port);
    if (policy.kind !== 'AuthorizationPolicy') continue;
    for (const { to, when } of policy.rules) {
      const named = [
        ...to.flatMap((operation) => [...operation.ports, ...operation.notPorts]),
        ...when.flatMap(({ key, values, notValues }) =>
          key === 'destination.port' ? [...values, ...notValues] : [],
        ),
      ];
      for (const port of named) ports.add(Number(port));
    }
  }
  return ports;
});

/** What policies say together, whatever they are called and in whichever order: of equal texts equal is decided. */
export const contentOf = once((policies: readonly Policy[]): string =>
  policies
    .map((policy) => policyHash(policy))
    .toSorted()
    .join(' '),
);

/** What is asked of tokens, whatever the policies are called. */
export const tokenRulesOf = once((policies: readonly Policy[]): string => {
  const rules = policies
    .filter((policy) => policy.kind === 'RequestAuthentication')
    .flatMap((policy) =>
      policy.jwtRules.map((rule) => {
        const meta = { ...policy.meta, namespace: '', name: '' };
        return canonicalPolicy({ ...policy, meta, selector: undefined, targetRefs: [], jwtRules: [rule] });
      }),
    );
  return [...new Set(rules)].toSorted().join('\n');
});
