import type { StrictOrders } from '../domain/enforcement/index.ts';
import { describeLocation } from '../domain/jwks/index.ts';
import type { ControlPlane } from '../domain/mesh/index.ts';
import { CitadelError, type Clock, formatDuration } from '../kernel/index.ts';
import type { Probe } from './health.ts';

/** A list of everything would not be read: the first of them, and how many there are. */
function some(what: string, all: readonly string[]): string {
  const [first] = all;
  return all.length === 1 ? `${what}: ${first}` : `${what}: ${all.length}, the first: ${first}`;
}

export interface MeshParts {
  readonly plane: Pick<ControlPlane, 'sources' | 'proxies' | 'keySets'>;
  readonly orders: Pick<StrictOrders, 'runs'>;
}

/** What the control plane stands on, and whom it cannot serve. Proxies keep what they have meanwhile. */
export function meshProbes({ plane: controlPlane, orders }: MeshParts, clock: Pick<Clock, 'now'>): Probe[] {
  return [
    {
      name: 'registry',
      why: 'proxies keep what they have, and see no change of services, endpoints and policies',
      mend: 'mend what the source names; citadel policy status lists all; broken objects keep their last good form',
      essential: false,
      run: () => {
        const sources = controlPlane.sources();
        const away = sources.flatMap(({ name, problem, currentAt }) =>
          problem === undefined ? [] : [`${name}: ${problem}; ${sinceWhen(currentAt, clock)}`],
        );
        const rejected = sources.flatMap((source) => source.rejected);
        const broken = (inForce: boolean) =>
          rejected.filter(({ kept }) => kept === inForce).map(({ reason }) => reason);
        const findings = (
          [
            ['away', away],
            ['broken, and nothing of it is in force', broken(false)],
            ['broken, and its last good form is in force', broken(true)],
            ['does not count', sources.flatMap(({ shadowed }) => shadowed.map(({ reason }) => reason))],
            ['also', sources.flatMap(({ warnings }) => warnings)],
          ] as const
        ).flatMap(([what, all]) => (all.length === 0 ? [] : [some(what, all)]));
        if (findings.length === 0) return Promise.resolve(undefined);
        const told = findings.join('; ');
        return away.length > 0
          ? Promise.reject(new CitadelError('Unavailable', told))
          : Promise.resolve(told);
      },
    },
    {
      name: 'proxy-configuration',
      why: 'a proxy that refuses its configuration goes on with the last one that it accepted',
      mend: 'citadel proxy list, then citadel proxy show KEY',
      essential: false,
      run: () => {
        const refusals = controlPlane
          .proxies()
          .flatMap(({ workload, resources }) =>
            resources.flatMap(({ name, error }) =>
              error === undefined ? [] : [`${workload} refuses ${name}: ${error}`],
            ),
          );
        return Promise.resolve(refusals.length === 0 ? undefined : some('refused', refusals));
      },
    },
    {
      name: 'mutual-tls-order',
      why: 'an order to make workloads strict has halted: those that are strict stay so, the others are not',
      mend: 'citadel mtls status; then citadel mtls enforce to go on, or citadel mtls revert',
      essential: false,
      run: () => {
        const halts = orders
          .runs()
          .flatMap(({ state, halt }) =>
            state === 'halted' && halt ? [`${halt.workload}: ${halt.reason}`] : [],
          );
        return Promise.resolve(halts.length === 0 ? undefined : some('halted', halts));
      },
    },
    {
      name: 'token-keys',
      why: 'tokens of an issuer without keys are refused; keys that are there stay, but new ones are not seen',
      mend: 'look at the provider, at mesh.jwks, and at the policies that name the address',
      essential: false,
      run: () => {
        const failing = controlPlane
          .keySets()
          .filter(({ problem }) => problem !== undefined)
          .toSorted((a, b) => (a.fetchedAt?.getTime() ?? 0) - (b.fetchedAt?.getTime() ?? 0));
        const lines = failing.map(({ location, fetchedAt, problem }) => {
          const where = describeLocation(location);
          return fetchedAt === undefined
            ? `none from ${where}, and tokens are refused: ${problem}`
            : `those from ${where} are ${ageOf(fetchedAt, clock)} old: ${problem}`;
        });
        return Promise.resolve(lines.length === 0 ? undefined : some('keys', lines));
      },
    },
  ];
}

/** How old what proxies are configured from is. */
function sinceWhen(currentAt: Date | undefined, clock: Pick<Clock, 'now'>): string {
  if (currentAt === undefined) return 'it has never been read, and until it is no proxy is configured';
  return `last current ${currentAt.toISOString()}, ${ageOf(currentAt, clock)} ago`;
}

function ageOf(time: Date, clock: Pick<Clock, 'now'>): string {
  const seconds = Math.floor((clock.now().getTime() - time.getTime()) / 1000);
  return formatDuration(Math.max(0, seconds) * 1000);
}
