import type { EnforcementRun, EnforcementStep } from './model.ts';
import type { Action } from './seen.ts';

/** The run after an action. */
export function advance(run: EnforcementRun, action: Action, now: Date): EnforcementRun {
  const after = { ...run, updatedAt: now };
  const change = (workload: string, changes: (step: EnforcementStep) => Partial<EnforcementStep>) =>
    run.steps.map((step) => (step.workload === workload ? { ...step, ...changes(step) } : step));
  switch (action.kind) {
    case 'join':
      return { ...after, steps: [...run.steps, { ...newStep(action.newcomer, now), ...asked(action, now) }] };
    case 'leave':
      return { ...after, steps: run.steps.filter(({ workload }) => workload !== action.workload) };
    case 'move': {
      const { workload, to, known } = action;
      return {
        ...after,
        steps: change(workload, (step) => ({
          state: to,
          since: now,
          known: known ?? step.known,
          ...(to === 'asked' ? { askedAt: now } : {}),
        })),
      };
    }
    case 'drained':
      return { ...after, steps: change(action.workload, () => ({ drainedAt: now })) };
    case 'again':
      return {
        ...after,
        steps: change(action.workload, ({ losses }) => ({
          state: 'observing',
          since: now,
          drainedAt: undefined,
          losses: losses + 1,
        })),
      };
    case 'halt': {
      const { halt } = action;
      const steps = halt.reverted
        ? change(halt.workload, () => ({ state: 'reverted', since: now }))
        : run.steps;
      return { ...after, state: 'halted', halt, steps };
    }
    case 'finish':
      return { ...after, state: 'done' };
  }
}

/** Of a workload whose turn has not come. */
export function newStep(
  { workload, group }: Pick<EnforcementStep, 'workload' | 'group'>,
  now: Date,
): EnforcementStep {
  return {
    workload,
    group,
    state: 'waiting',
    since: now,
    askedAt: undefined,
    drainedAt: undefined,
    known: [],
    accepted: [],
    forced: false,
    losses: 0,
  };
}

function asked({ state, known }: Extract<Action, { kind: 'join' }>, now: Date): Partial<EnforcementStep> {
  return state === 'asked' ? { state, known, askedAt: now } : {};
}
