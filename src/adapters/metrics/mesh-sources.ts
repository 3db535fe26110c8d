import { Gauge, type Registry } from 'prom-client';
import type { MeshSourceState, Metrics } from '../../domain/ports/index.ts';
import type { Clock } from '../../kernel/index.ts';

/** Where services, endpoints and policies come from: how old what they said is, and what of it does not count. */
export function createMeshSourceMetrics(registry: Registry, clock: Clock): Pick<Metrics, 'meshSources'> {
  let states: () => readonly MeshSourceState[] = () => [];
  const gauge = (name: string, help: string, of: (state: MeshSourceState) => number | undefined) => {
    const made: Gauge<'source'> = new Gauge({
      name: `citadel_mesh_source_${name}`,
      help,
      labelNames: ['source'],
      registers: [registry],
      collect: () => {
        for (const state of states()) {
          const value = of(state);
          if (value !== undefined) made.set({ source: state.name }, value);
        }
      },
    });
  };
  gauge('up', 'Whether what is known of the source is what it has (1), or it is away (0)', ({ problem }) =>
    problem === undefined ? 1 : 0,
  );
  gauge(
    'age_seconds',
    'Since the source was last known to be current; absent where it never was',
    ({ currentAt }) => currentAt && Math.max(0, (clock.now().getTime() - currentAt.getTime()) / 1000),
  );
  const rejected = (state: MeshSourceState, inForce: boolean) =>
    new Set(state.rejected.filter(({ kept }) => kept === inForce).map(({ object }) => object)).size;
  gauge('broken_kept', 'Objects that are broken, of which an earlier, good form is in force', (state) =>
    rejected(state, true),
  );
  gauge('broken', 'Objects that are broken, of which nothing is in force', (state) => rejected(state, false));
  gauge(
    'shadowed',
    'Objects that do not count, because a file or source that comes first has one of their name',
    (state) => state.shadowed.length,
  );
  return {
    meshSources: (given) => {
      states = given;
    },
  };
}
