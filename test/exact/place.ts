import type { PortOf, PortProtocol } from '../../src/domain/policy/exact/index.ts';
import {
  type AuthorizationPolicy,
  type Decision,
  decide,
  indexPolicies,
  mutualTlsModeOf,
  type Policy,
  type PolicyRequest,
  type PolicyWorld,
  policiesByWorkload,
  type Verdict,
} from '../../src/domain/policy/index.ts';

/** A port of a workload that has a proxy, and what arrives there: requests, or connections. */
export interface Place {
  readonly workload: string;
  readonly port: number;
  readonly protocol: PortProtocol;
  /** Whether one world reads HTTP there and another one does not; connections are then those that carry no request. */
  readonly isMixed: boolean;
  /** Under which it is told: ports that nobody declares or names are told as one. */
  readonly of: PortOf['port'];
}

/** A request with all that is said of it from outside. */
export interface Trial {
  readonly request: PolicyRequest;
  readonly providers: Readonly<Record<string, Verdict>>;
  /** Of the connection of a request, where it is asked about that. */
  readonly ofConnection?: Readonly<Record<string, Verdict>>;
}

const someOtherPort = 54_321;

/** Every port at which something is decided: those of the registry, and with capture all others, which are bytes. */
export function placesOf(worlds: readonly PolicyWorld[]): readonly Place[] {
  const [world] = worlds;
  if (!world) return [];
  const holding = worlds.map((each) => policiesByWorkload(indexPolicies(each), each.workloads.values()));
  return [...world.workloads.values()].flatMap(({ id, proxy, ports }): Place[] => {
    if (proxy === 'none') return [];
    const at = (port: number, of: Place['of']): readonly Place[] => {
      const read = new Set(worlds.map((each) => (isHttp(each, id, port) ? 'http' : 'tcp')));
      return [...read].map((protocol) => ({ workload: id, port, protocol, isMixed: read.size > 1, of }));
    };
    const declared = ports.flatMap(({ port }) => at(port, port));
    if (proxy === 'explicit') return declared;
    const named = new Set(holding.flatMap((each) => (each.get(id) ?? []).flatMap(portsIn)));
    const undeclared = [...named].filter((port) => declared.every((each) => each.port !== port));
    return [...declared, ...undeclared.flatMap((port) => at(port, port)), ...at(someOtherPort, 'other')];
  });
}

function isHttp({ workloads }: PolicyWorld, id: string, port: number): boolean {
  const declared = workloads.get(id)?.ports.find((each) => each.port === port);
  return declared !== undefined && declared.protocol !== 'tcp';
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
  readonly #isMixed: boolean;
  readonly #takesTokens: boolean;
  readonly #world: PolicyWorld;

  constructor(world: PolicyWorld, { workload, port, isMixed }: Place) {
    const holding = policiesByWorkload(indexPolicies(world), world.workloads.values()).get(workload) ?? [];
    const mode = mutualTlsModeOf(holding, port);
    this.#mode = mode === 'PERMISSIVE' && world.strict.has(workload) ? 'STRICT' : mode;
    this.#tcp = !isHttp(world, workload, port);
    this.#isMixed = isMixed;
    this.#takesTokens = holding.some(
      (policy) => policy.kind === 'RequestAuthentication' && policy.jwtRules.length > 0,
    );
    this.#world = world;
    this.policies = holding.filter((policy) => policy.kind === 'AuthorizationPolicy');
  }

  allows(trial: Trial): boolean {
    return this.#decide(trial)?.verdict === 'allow';
  }

  /** A trial as it is known here: nobody has looked at a token where nobody is told whose to take. */
  known(trial: Trial): Trial {
    return this.#takesTokens ? trial : { ...trial, request: { ...trial.request, jwt: undefined } };
  }

  /** What decides; undefined where no policy is asked. */
  step(trial: Trial): Decision['step'] | undefined {
    return this.#decide(trial)?.step;
  }

  /**
   * What is said of a trial by policies that decide nothing, each by its name; absent of what is refused before they are asked.
   */
  marks(trial: Trial): ReadonlyMap<string, boolean> {
    const decision = this.#decide(trial);
    if (!decision || decision.step === 'PATH' || decision.step === 'CUSTOM') return new Map();
    const tried = ['AUDIT', 'CUSTOM', 'DENY', ...(decision.step === 'DENY' ? [] : ['ALLOW'])];
    return new Map([
      ['AUDIT', decision.audit.length > 0],
      ...tried.map((action): [string, boolean] => [
        `dry ${action}`,
        decision.dryRun.some((each) => each.action === action && each.by !== undefined),
      ]),
    ]);
  }

  /** Undefined of what is refused before any policy is asked. */
  #decide(trial: Trial): Decision | undefined {
    // Who reads HTTP answers other bytes himself; who does not reads nothing of a request, and knows its connection.
    if (!this.#tcp && trial.request.http === undefined) return undefined;
    const isCarried = this.#tcp && this.#isMixed && trial.request.http !== undefined;
    const { sourceIp } = trial.request;
    const [request, providers] = isCarried
      ? [{ ...trial.request, http: undefined, remoteIp: sourceIp }, trial.ofConnection ?? {}]
      : [trial.request, trial.providers];
    if (this.#mode === 'STRICT' && request.sourcePrincipal === undefined) return undefined;
    if (this.#mode === 'DISABLE' && request.sourcePrincipal !== undefined) return undefined;
    const { trustDomain, trustDomainAliases, authorizationProviders } = this.#world.settings;
    // Who speaks HTTP cannot be asked about a connection.
    const asked = authorizationProviders.filter(({ kind }) => kind !== 'http' || !this.#tcp);
    const verdicts = asked.map(({ name }): [string, Verdict] => [name, providers[name] ?? 'allow']);
    return decide(this.policies, this.known({ ...trial, request }).request, {
      trustDomain,
      trustDomainAliases,
      tcp: this.#tcp,
      customVerdicts: new Map(verdicts),
    });
  }
}
