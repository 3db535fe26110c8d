import { Gauge, type Registry } from 'prom-client';
import type { AuthorityMetricKind, Metrics, RotationCounts } from '../../domain/ports/index.ts';
import type { Clock } from '../../kernel/index.ts';

const phases = ['prepare', 'canary', 'distribute', 'drain', 'retire', 'undo'] as const;

/** A rotation of the root, and how old the authorities are. */
export function createRotationMetrics(
  registry: Registry,
  clock: Clock,
): Pick<Metrics, 'rotation' | 'authorityLife'> {
  const registers = [registry];
  let present: RotationCounts | undefined;
  const lives = new Map<AuthorityMetricKind, { readonly from: number; readonly to: number }>();
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: (gauge: Gauge) => void,
  ) => {
    const made: Gauge = new Gauge({
      name: `citadel_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      collect: () => {
        made.reset();
        collect(made);
      },
    });
  };
  gauge(
    'authority_life_ratio',
    'Share of its life that an authority has behind it, by kind',
    ['kind'],
    (life) => {
      const now = clock.now().getTime();
      for (const [kind, { from, to }] of lives) life.set({ kind }, (now - from) / (to - from));
    },
  );
  gauge('root_rotation_phase', 'Whether a rotation of the root is in this phase', ['phase'], (phase) => {
    for (const each of phases) phase.set({ phase: each }, present?.phase === each ? 1 : 0);
  });
  gauge(
    'root_rotation_phase_age_seconds',
    'How long that phase lasts already; 0 without a rotation',
    [],
    (age) => {
      age.set(present ? (clock.now().getTime() - present.since.getTime()) / 1000 : 0);
    },
  );
  gauge(
    'root_rotation_proxies',
    'Live proxies by how far they are in this phase',
    ['standing'],
    (proxies) => {
      for (const [standing, count] of Object.entries(present?.standings ?? {}))
        proxies.set({ standing }, count);
    },
  );
  gauge(
    'root_rotation_adoption_ratio',
    'Share of live proxies by how far they are',
    ['standing'],
    (ratio) => {
      const counts = Object.entries(present?.standings ?? {});
      const live = counts.reduce((sum, [, count]) => sum + count, 0);
      for (const [standing, count] of live === 0 ? [] : counts) ratio.set({ standing }, count / live);
    },
  );
  gauge('root_rotation_stragglers', 'Proxies that the phase waits for', ['needs'], (stragglers) => {
    stragglers.set({ needs: 'evidence' }, present?.stragglers ?? 0);
    stragglers.set({ needs: 'word' }, present?.unproven ?? 0);
  });
  gauge(
    'root_rotation_certificates',
    'Certificates that must end before the phase does',
    [],
    (certificates) => {
      certificates.set(present?.certificates ?? 0);
    },
  );
  gauge(
    'root_rotation_blocked',
    'Whether the last try to go on failed, as where a key home is away',
    [],
    (blocked) => {
      blocked.set(present?.blocked === true ? 1 : 0);
    },
  );
  return {
    rotation: (counts) => {
      present = counts;
    },
    authorityLife: (kind, notBefore, notAfter) => {
      lives.set(kind, { from: notBefore.getTime(), to: notAfter.getTime() });
    },
  };
}
