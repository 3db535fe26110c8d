import { formatInstant, once } from '../../kernel/index.ts';
import { isAccepted, readiness, safeFrom } from '../evidence/index.ts';
import type { EnforcementHalt, EnforcementRun, EnforcementStep, StepState } from './model.ts';
import type { Action, Seen, SeenWorkload, Waiting } from './seen.ts';

/** Milliseconds that a proxy, or word of what it logged, may be away. */
const patience = 60_000;
/** Milliseconds after the last of what came before was cut in which it comes back, and its refusal is told. */
const lookAfter = 10_000;
/** Milliseconds; Envoy's own default. */
const defaultDrainTime = 600_000;
const mostLosses = 3;

/** What one step does next, or what it waits for. */
export function progressOf(
  run: EnforcementRun,
  step: EnforcementStep,
  seen: Seen,
  now: Date,
): Action | Waiting {
  if (step.state === 'reverted' || step.state === 'done') return wait('');
  if (step.state === 'waiting' && turnOf(run).step !== step) return wait('its turn has not come');
  const workload = seen.workload(step.workload);
  if (!workload) return { kind: 'leave', workload: step.workload };
  switch (step.state) {
    case 'waiting':
      return move(step, 'draining');
    case 'draining':
      return drain(run, step, workload, seen, now);
    case 'asked':
      return accept(step, workload, seen, now);
    case 'observing':
      return observe(run, step, workload, seen, now);
    case 'settling':
      return settle(step, workload, seen, now);
  }
}

/** Whose turn it is, one at a time: the first that waits, once none is drained, told or observed. */
export const turnOf = once(({ steps }: EnforcementRun): { readonly step: EnforcementStep | undefined } => {
  const busy = steps.some(({ state }) => state === 'draining' || state === 'asked' || state === 'observing');
  return { step: busy ? undefined : steps.find(({ state }) => state === 'waiting') };
});

/** Strictness is asked for only when it takes nothing away any more. */
function drain(
  run: EnforcementRun,
  step: EnforcementStep,
  { evidence }: SeenWorkload,
  seen: Seen,
  now: Date,
): Action | Waiting {
  const asked = (): Action => {
    // Where nothing is waited for, who came after the order cannot make itself known: anybody can send plaintext.
    const before = step.forced ? run.startedAt : now;
    const known = seen
      .knownCallers(step.workload, before)
      .filter((address) => !step.accepted.includes(address));
    return { ...move(step, 'asked'), known };
  };
  if (step.forced) return asked();
  const { state, reasons } = readiness(evidence, now, run.window);
  const reason =
    state === 'safe'
      ? seen.notYetMutual(step.workload)
      : `not before ${formatInstant(safeFrom(evidence, now, run.window))}: ${reasons.join('; ')}`;
  if (reason === undefined) return asked();
  const longest = run.window + 2 * patience;
  if (elapsed(step.since, seen, now) <= longest) return wait(reason);
  return halting(step, state === 'unsafe' ? 'unsafe' : 'unknown', reason);
}

function accept(step: EnforcementStep, { modes }: SeenWorkload, seen: Seen, now: Date): Action | Waiting {
  // DISABLE stays as its author wrote it.
  const ports = modes.filter(({ wanted }) => wanted !== 'DISABLE');
  const refused = ports.find(({ state }) => state === 'refused');
  if (refused) return halting(step, 'unknown', refused.detail ?? 'its proxy refuses the listener');
  const behind = ports.find(({ wanted, state }) => wanted !== 'STRICT' || !isAccepted(state));
  if (!behind) return move(step, 'observing');
  const reason = behind.detail ?? 'its proxy has not been told yet';
  return elapsed(step.since, seen, now) <= patience ? wait(reason) : halting(step, 'unknown', reason);
}

function observe(
  run: EnforcementRun,
  step: EnforcementStep,
  workload: SeenWorkload,
  seen: Seen,
  now: Date,
): Action | Waiting {
  const until = new Date(step.since.getTime() + run.observe);
  return (
    blindness(step, workload, seen, now) ??
    (isKnownUntil(step, workload, until, now)
      ? move(step, 'settling')
      : wait(`refusals of callers that succeeded before are watched until ${formatInstant(until)}`))
  );
}

function settle(step: EnforcementStep, workload: SeenWorkload, seen: Seen, now: Date): Action | Waiting {
  const blind = blindness(step, workload, seen, now);
  if (blind) return blind;
  if (step.drainedAt) {
    const until = new Date(step.drainedAt.getTime() + lookAfter);
    return isKnownUntil(step, workload, until, now)
      ? move(step, 'done')
      : wait(`callers whose connections were ended are watched until ${formatInstant(until)}`);
  }
  const left = workload.modes.find(({ wanted, effective }) => wanted === 'STRICT' && effective !== wanted);
  const drainTime = workload.evidence.counters?.drainTime ?? defaultDrainTime;
  // Other listeners of the proxy may drain too, again and again: by then what came before this change is gone.
  const isOver = now.getTime() - step.since.getTime() > drainTime;
  if (!left || (isOver && isAccepted(left.state))) return { kind: 'drained', workload: step.workload };
  const reason = left.detail ?? 'what came before is draining';
  const longest = drainTime + 2 * patience;
  return elapsed(step.since, seen, now) <= longest ? wait(reason) : halting(step, 'unknown', reason);
}

/** Whether all that the proxy logged up to then is known. */
function isKnownUntil(
  { forced }: EnforcementStep,
  { evidence }: SeenWorkload,
  until: Date,
  now: Date,
): boolean {
  if (now < until) return false;
  const { confirmedAt, coverage } = evidence;
  return forced || (coverage !== undefined && confirmedAt !== undefined && confirmedAt >= until);
}

/** Nothing goes on while refusals could be missed: what was lost is observed again, and silence halts. */
function blindness(
  step: EnforcementStep,
  { evidence: { coverage, confirmedAt }, modes }: SeenWorkload,
  seen: Seen,
  now: Date,
): Action | undefined {
  if (step.forced) return undefined;
  const heard = new Date(Math.max(confirmedAt?.getTime() ?? 0, step.since.getTime()));
  if (elapsed(heard, seen, now) > patience) {
    const away = modes.find(({ state }) => state === 'away')?.detail;
    const silence = `what it logged after ${formatInstant(heard)} is not known to have arrived`;
    return halting(step, 'unknown', away === undefined ? silence : `${away}, and ${silence}`);
  }
  if (coverage === undefined)
    return elapsed(step.since, seen, now) > patience
      ? halting(step, 'unknown', 'its proxy has not been seen to log')
      : undefined;
  if (coverage.since <= step.since) return undefined;
  const reason = `its log is complete only since ${formatInstant(coverage.since)}: ${coverage.reason}`;
  if (step.losses >= mostLosses) return halting(step, 'unknown', reason);
  return { kind: 'again', workload: step.workload, reason };
}

function elapsed(since: Date, seen: Seen, now: Date): number {
  return now.getTime() - Math.max(since.getTime(), seen.since.getTime());
}

function move({ workload }: EnforcementStep, to: StepState): Extract<Action, { kind: 'move' }> {
  return { kind: 'move', workload, to };
}

function halting({ workload }: EnforcementStep, kind: EnforcementHalt['kind'], reason: string): Action {
  return { kind: 'halt', halt: { kind, workload, reason, reverted: false } };
}

function wait(reason: string): Waiting {
  return { kind: 'wait', reason };
}
