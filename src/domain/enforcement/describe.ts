import type { Action } from './seen.ts';

/** An action in the words of the audit record. */
export function describeAction(action: Action): {
  readonly action: string;
  readonly target: string | undefined;
  readonly reason: string;
} {
  switch (action.kind) {
    case 'join': {
      const { newcomer, state } = action;
      const reason =
        state === 'asked'
          ? 'it stands beside workloads that proved strict: told to be strict'
          : 'it came into the scope';
      return { action: 'mtls.enforce.join', target: newcomer.workload, reason };
    }
    case 'leave':
      return { action: 'mtls.enforce.leave', target: action.workload, reason: 'no registry has it any more' };
    case 'move':
      return { action: 'mtls.enforce.step', target: action.workload, reason: moves[action.to] };
    case 'drained':
      return {
        action: 'mtls.enforce.step',
        target: action.workload,
        reason: 'nothing of what came before is left',
      };
    case 'again':
      return {
        action: 'mtls.enforce.step',
        target: action.workload,
        reason: `observed anew: ${action.reason}`,
      };
    case 'halt': {
      const { kind, workload, reason, reverted } = action.halt;
      return {
        action: reverted ? 'mtls.enforce.auto-revert' : 'mtls.enforce.halt',
        target: workload,
        reason: `${kind}: ${reason}`,
      };
    }
    case 'finish':
      return { action: 'mtls.enforce.done', target: undefined, reason: 'every workload is strict' };
  }
}

const moves: Readonly<Record<Extract<Action, { kind: 'move' }>['to'], string>> = {
  waiting: 'waits for its turn',
  draining: 'its turn has come: calls without mutual TLS are to pass',
  asked: 'told to be strict',
  observing: 'its proxy has accepted that: refusals are watched',
  settling: 'nobody was refused who succeeded before: what came before drains',
  done: 'strict',
  reverted: 'taken back',
};
