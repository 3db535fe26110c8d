import { type ComponentChild, h } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type {
  ConsoleApply,
  ConsoleChange,
  ConsoleEffect,
  ConsolePlan,
  ConsoleWhoAmI,
} from '../wire/console.ts';
import { CallError, failing, post } from './call.ts';
import { Command } from './command.ts';
import { Effect } from './effect.ts';
import {
  button,
  count,
  failure,
  keyText,
  reasonInput,
  status,
  submitButton,
  submitting,
} from './elements.ts';
import { SemanticDiff } from './semantic-diff.ts';
import type { Planned } from './use-plan.ts';

interface ChangePanelProps {
  readonly who: ConsoleWhoAmI;
  readonly change: ConsoleChange;
  readonly planned: Planned;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  /** On the button. */
  readonly verb: string;
  /** The command that does it, for this reason. */
  readonly command: (reason: string) => string;
  /** Where it can be tried beside what holds first: the command, and what comes after it has begun. */
  readonly trial?: {
    readonly command: (reason: string) => string;
    readonly onBegun: (plan: ConsolePlan) => void;
  };
  /** Called with the new state of affairs after an apply. */
  readonly onApplied: (plan: ConsolePlan) => void;
  readonly onEnded: () => void;
}

/** What applying would do, and doing it. */
export function ChangePanel(props: ChangePanelProps): ComponentChild {
  const { who, change, planned, reason, onReason, verb, command, trial, onApplied, onEnded } = props;
  const { plan } = planned;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const effects = plan?.effects.filter(({ effect }) => effect !== 'unchanged') ?? [];
  const isEmpty = plan?.effects.length === 0 && !change.restore;
  const hindrance = hindranceOf(who, planned, effects, isEmpty);
  const isIdle = hindrance === undefined && !busy;
  const why = reason === '' ? 'REASON' : reason;
  const failed = (error: unknown) => {
    if (!(error instanceof CallError && error.code === 'Aborted')) return failing(setProblem, onEnded)(error);
    setProblem(
      'Somebody has changed the policies meanwhile. Above is what applying would do now: look again, then apply.',
    );
    planned.renew();
  };
  const form = useRef<HTMLFormElement>(null);
  const send = (path: 'apply' | 'shadow', onDone: (plan: ConsolePlan) => void) => {
    if (!isIdle || !plan || form.current?.reportValidity() === false) return;
    setBusy(true);
    setProblem('');
    const sending = async () => {
      const body: ConsoleApply = { ...change, expectedRevision: plan.revision, reason };
      const done = await post<ConsolePlan>(path, body);
      onReason('');
      onDone(done);
    };
    sending()
      .catch(failed)
      .finally(() => setBusy(false));
  };
  return h(
    'div',
    { class: 'panel-body' },
    effects.map((effect) => h(Effect, { key: keyText(effect), effect })),
    plan && isComparable(plan, effects)
      ? h(SemanticDiff, { change, revision: plan.revision, onEnded })
      : null,
    hindrance === undefined ? null : status(hindrance),
    planned.problem === '' ? null : h('div', { class: 'actions' }, button('Ask again', planned.renew)),
    h(
      'form',
      { class: 'apply', ref: form, onSubmit: submitting(() => send('apply', onApplied)) },
      h('label', { for: 'reason' }, 'Why'),
      reasonInput(reason, onReason, 'reason'),
      submitButton(verb, isIdle),
      trial
        ? button('Try beside what holds', () => send('shadow', trial.onBegun), {
            'aria-disabled': isIdle ? undefined : 'true',
          })
        : null,
    ),
    problem === '' ? null : failure(problem),
    h(Command, { line: command(why) }),
    trial ? h(Command, { title: 'To try it', line: trial.command(why) }) : null,
  );
}

function isComparable({ problems }: ConsolePlan, effects: readonly ConsoleEffect[]): boolean {
  return problems.length === 0 && effects.length > 0 && effects.every(({ shadowedBy }) => shadowedBy === '');
}

/** Why nothing can be applied; undefined where it can. */
function hindranceOf(
  { role }: ConsoleWhoAmI,
  { plan, problem }: Planned,
  effects: readonly ConsoleEffect[],
  isEmpty: boolean,
): string | undefined {
  if (problem !== '') return `It is not known what this would do: ${problem}`;
  if (!plan) return 'Working out what this would do …';
  if (plan.problems.length > 0)
    return `${count(plan.problems.length, 'problem', 'problems')} to mend first: ${plan.problems[0]?.message}.`;
  if (isEmpty) return 'There is no policy in this text.';
  if (effects.length === 0) return 'Nothing changes: this holds already.';
  if (effects.some(({ shadowedBy }) => shadowedBy !== ''))
    return 'A part of this would have no effect, so none of it is applied.';
  if (!mayChange(role))
    return 'You may look at this; applying needs the role author, which an operator grants.';
  return undefined;
}

export function mayChange(role: ConsoleWhoAmI['role']): boolean {
  return role === 'author' || role === 'operator';
}
