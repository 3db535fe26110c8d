import { newStep } from '../../../../src/domain/enforcement/advance.ts';
import type { EnforcementRun, EnforcementStep } from '../../../../src/domain/enforcement/index.ts';
import type { Seen, SeenWorkload } from '../../../../src/domain/enforcement/seen.ts';
import type { PortMode } from '../../../../src/domain/evidence/index.ts';
import { at, counters, evidence } from '../evidence/samples.ts';

export { at };

/** Of the workload `test/shop/<name>`, in the group `shop/<name>`, since at(0). */
export function step(name: string, changes: Partial<EnforcementStep> = {}): EnforcementStep {
  return { ...newStep({ workload: `test/shop/${name}`, group: `shop/${name}` }, at(0)), ...changes };
}

/** Of the namespace shop, begun at(0), observed for 60 s each, with a window of an hour. */
export function run(
  steps: readonly EnforcementStep[],
  changes: Partial<EnforcementRun> = {},
): EnforcementRun {
  return {
    id: 'a1',
    scope: { kind: 'namespace', namespace: 'shop' },
    state: 'running',
    startedAt: at(0),
    startedBy: 'operator:ada',
    reason: '',
    observe: 60_000,
    window: 3_600_000,
    revertUntil: undefined,
    steps,
    halt: undefined,
    exempt: [],
    updatedAt: at(0),
    ...changes,
  };
}

export function mode(changes: Partial<PortMode> = {}): PortMode {
  const state = changes.state ?? 'settled';
  const wanted = changes.wanted ?? 'STRICT';
  return {
    port: 8080,
    wanted,
    policy: 'PERMISSIVE',
    state,
    effective: state === 'settled' ? wanted : undefined,
    detail: state === 'settled' ? undefined : `it is ${state}`,
    ...changes,
  };
}

/** Safe to be strict at(7_200), and as strict as is wanted. */
export function seenWorkload(changes: Partial<SeenWorkload> = {}): SeenWorkload {
  return {
    evidence: evidence({ counters: counters({ observedAt: at(7_190) }) }),
    modes: [mode()],
    ...changes,
  };
}

/** Every workload looks the same, unless said otherwise. */
export function seen(changes: Partial<Seen> = {}): Seen {
  return {
    since: at(-1_000),
    newcomers: () => [],
    workload: () => seenWorkload(),
    refusals: () => [],
    knownCallers: () => ['10.0.0.7'],
    notYetMutual: () => undefined,
    ...changes,
  };
}
