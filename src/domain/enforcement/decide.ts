import { formatInstant } from '../../kernel/index.ts';
import { describePort, type PortMode } from '../evidence/index.ts';
import { anyOtherPort } from '../mesh/index.ts';
import type { EnforcementHalt, EnforcementRun, EnforcementStep } from './model.ts';
import { progressOf, turnOf } from './progress.ts';
import { isStrict } from './scope.ts';
import type { Action, Newcomer, Seen } from './seen.ts';

/** The next thing to do of a run, one at a time; undefined: nothing but to wait. */
export function decide(run: EnforcementRun, seen: Seen, now: Date): Action | undefined {
  if (run.state !== 'running') return undefined;
  for (const step of run.steps) {
    const refused = isStrict(step) ? refusedSince(run, step, seen, now) : undefined;
    if (refused) return { kind: 'halt', halt: refused };
  }
  for (const step of run.steps) {
    if (step.state === 'reverted' || step.state === 'done') continue;
    if (step.state === 'waiting' && turnOf(run).step !== step) continue;
    const progress = progressOf(run, step, seen, now);
    if (progress.kind !== 'wait') return progress;
  }
  const [newcomer] = seen.newcomers();
  if (newcomer) return join(run, newcomer, seen);
  const isOver = run.steps.every(({ state }) => state === 'done' || state === 'reverted');
  return isOver ? { kind: 'finish' } : undefined;
}

function refusedSince(
  run: EnforcementRun,
  { workload, askedAt, known }: EnforcementStep,
  seen: Seen,
  now: Date,
): EnforcementHalt | undefined {
  if (known.length === 0) return undefined;
  const refused = seen
    .refusals(workload)
    .filter(({ address, last }) => askedAt !== undefined && last > askedAt && known.includes(address))
    .find(({ port }) => isByOrder(port, seen.workload(workload)?.modes ?? []));
  if (!refused) return undefined;
  const { address, port, last } = refused;
  return {
    kind: 'refused',
    workload,
    reason: `${address}, which called it without mutual TLS before, was refused on ${describePort(port)} at ${formatInstant(last)}`,
    reverted: run.revertUntil !== undefined && now <= run.revertUntil,
  };
}

/** Whether nothing but an order refuses there, for all that is known: of several undeclared ports some may be otherwise. */
function isByOrder(port: number, modes: readonly PortMode[]): boolean {
  const mode = modes.find((each) => each.port === port);
  return port === anyOtherPort || mode === undefined || mode.policy === 'PERMISSIVE';
}

/** Who stands beside workloads that proved strict is strict from the start: nobody has a connection to it yet. */
function join(run: EnforcementRun, newcomer: Newcomer, seen: Seen): Action {
  const proved = run.steps.filter(
    ({ group, state }) => group === newcomer.group && (state === 'settling' || state === 'done'),
  );
  if (proved.length === 0) return { kind: 'join', newcomer, state: 'waiting', known: [] };
  const accepted = new Set(proved.flatMap((step) => step.accepted));
  const known = seen
    .knownCallers(newcomer.workload, run.startedAt)
    .filter((address) => !accepted.has(address));
  return { kind: 'join', newcomer, state: 'asked', known };
}
