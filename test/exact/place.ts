import type { PortOf, PortProtocol } from '../../src/domain/policy/exact/index.ts';
import {
  type AuthorizationPolicy,
  decide,
  indexPolicies,
  mutualTlsModeOf,
  type Policy,
  type PolicyRequest,
  type PolicyWorld,
  policiesByWorkload,
  type Verdict,
} from '../../src/domain/policy/index.ts';

/** A port of a workload that has a proxy, and how it is read. */
export interface Place {
  readonly workload: string;
  readonly port: number;
  readonly protocol: PortProtocol;
  /** Under which it is told: ports that nobody declares or names are told as one. */
  readonly of: PortOf['port'];
}

/** A request with all that is said of it from outside. */
export interface Trial {
  readonly request: PolicyRequest;
  readonly providers: Readonly<Record<string, Verdict>>;
}

const someOtherPort = 54_321;

/** Every port at which something is decided: those of the registry, and with capture all others, which are bytes. */
export function placesOf(worlds: readonly PolicyWorld[]): readonly Place[] {
  const [world] = worlds;
  if (!world) return [];
  const holding = worlds.map((each) => policiesByWorkload(indexPolicies(each), each.workloads.values()));
  return [...world.workloads.values()].flatMap(({ id, proxy, ports }): Place[] => {
    if (proxy === 'none') return [];
    const declared = ports.map(({ port, protocol }): Place => {
      return { workload: id, port, protocol: protocol === 'tcp' ? 'tcp' : 'http', of: port };
    });
    if (proxy === 'explicit') return declared;
    const named = new Set(holding.flatMap((each) => (each.get(id) ?? []).flatMap(portsIn)));
    const undeclared = [...named].filter((port) => declared.every((each) => each.port !== port));
    return [
      ...declared,
      ...undeclared.map((port): Place => ({ workload: id, port, protocol: 'tcp', of: port })),
      { workload: id, port: someOtherPort, protocol: 'tcp', of: 'other' },
    ];
  });
}

/** Whether what is said of some ports is said of this one. */
export function isAmong(place: Place, places: readonly PortOf[]): boolean {
  return places.some(({ workload, port }) => workload === place.workload && port === place.of);
}

function portsIn(policy: Policy): readonly number[] {
  if (policy.kind === 'PeerAuthentication') return [...policy.portLevel.keys()];
  if (policy.kind === 'RequestAuthentication') return [];
  const ports = policy.rules.flatMap(({ to, when }) => [
    ...to.flatMap((each) => [...each.ports, ...each.notPorts]),
    ...when.flatMap((each) => (each.key === 'destination.port' ? [...each.values, ...each.notValues] : [])),
  ]);
  return ports.map(Number).filter((port) => port > 0);
}

/** What is decided at one place of one world, by decide() and by the mode of mutual TLS. */
export class Decider {
  readonly policies: readonly AuthorizationPolicy[];
  readonly #mode: string;
  readonly #tcp: boolean;
  readonly #world: PolicyWorld;

  constructor(world: PolicyWorld, { workload, port, protocol }: Place) {
    const holding = policiesByWorkload(indexPolicies(world), world.workloads.values()).get(workload) ?? [];
    const mode = mutualTlsModeOf(holding, port);
    this.#mode = mode === 'PERMISSIVE' && world.strict.has(workload) ? 'STRICT' : mode;
    this.#tcp = protocol === 'tcp';
    this.#world = world;
    this.policies = holding.filter((policy) => policy.kind === 'AuthorizationPolicy');
  }

  allows({ request, providers }: Trial): boolean {
    if (this.#mode === 'STRICT' && request.sourcePrincipal === undefined) return false;
    if (this.#mode === 'DISABLE' && request.sourcePrincipal !== undefined) return false;
    const { trustDomain, trustDomainAliases, authorizationProviders } = this.#world.settings;
    // Who speaks HTTP cannot be asked about a connection.
    const asked = authorizationProviders.filter(({ kind }) => kind !== 'http' || !this.#tcp);
    const verdicts = asked.map(({ name }): [string, Verdict] => [name, providers[name] ?? 'allow']);
    const { verdict } = decide(this.policies, request, {
      trustDomain,
      trustDomainAliases,
      tcp: this.#tcp,
      customVerdicts: new Map(verdicts),
    });
    return verdict === 'allow';
  }
}
