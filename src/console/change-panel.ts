import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { ConsoleEffect, ConsolePlan, ConsolePolicyKey, ConsoleWhoAmI } from '../wire/console.ts';
import { CallError, describe, post } from './call.ts';
import { Command, quoted } from './command.ts';
import { count, failure, keyText, status } from './elements.ts';
import { diffLines } from './line-diff.ts';
import { SemanticDiff } from './semantic-diff.ts';

interface ChangePanelProps {
  readonly who: ConsoleWhoAmI;
  readonly text: string;
  readonly remove: readonly ConsolePolicyKey[];
  readonly plan: ConsolePlan | undefined;
  /** Called with the new state of affairs after an apply, and when somebody else was first. */
  readonly onApplied: (plan: ConsolePlan) => void;
  readonly onOutdated: () => void;
  readonly onEnded: () => void;
}

const verbs: Readonly<Record<ConsoleEffect['effect'], string>> = {
  create: 'creates',
  update: 'changes',
  unchanged: 'leaves',
  remove: 'removes',
};

/** What applying would do, and doing it. */
export function ChangePanel(props: ChangePanelProps): ComponentChild {
  const { who, text, remove, plan, onApplied, onOutdated, onEnded } = props;
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const effects = plan?.effects.filter(({ effect }) => effect !== 'unchanged') ?? [];
  const hindrance = hindranceOf(who, plan, effects);
  const apply = async ({ revision }: ConsolePlan) => {
    setBusy(true);
    setProblem('');
    const applied = await post<ConsolePlan>('apply', { text, remove, expectedRevision: revision, reason });
    setReason('');
    onApplied(applied);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (hindrance !== undefined || busy || !plan) return;
    apply(plan)
      .catch((error: unknown) => {
        const code = error instanceof CallError ? error.code : '';
        if (code === 'Unauthenticated') onEnded();
        const outdated = code === 'Aborted';
        setProblem(
          outdated
            ? 'Somebody has changed the policies meanwhile. Above is what applying would do now: look again, then apply.'
            : describe(error),
        );
        if (outdated) onOutdated();
      })
      .finally(() => setBusy(false));
  };
  return h(
    'div',
    { class: 'panel-body' },
    plan && effects.length > 0 ? effects.map((effect) => h(Effect, { key: keyText(effect), effect })) : null,
    plan && comparable(plan, effects) ? h(SemanticDiff, { text, remove, revision: plan.revision }) : null,
    hindrance === undefined ? null : status(hindrance),
    h(
      'form',
      { class: 'apply', onSubmit: submit },
      h('label', { for: 'reason' }, 'Why'),
      h('input', {
        id: 'reason',
        required: true,
        maxLength: 1024,
        autocomplete: 'off',
        placeholder: 'for the audit record',
        value: reason,
        onInput: (event: InputEvent) =>
          setReason(event.target instanceof HTMLInputElement ? event.target.value : ''),
      }),
      h(
        'button',
        { type: 'submit', class: 'primary', disabled: hindrance !== undefined || busy },
        remove.length > 0 ? 'Remove' : 'Apply',
      ),
    ),
    problem === '' ? null : failure(problem),
    h(Command, {
      line: [
        'citadel policy',
        ...(remove.length > 0 ? ['remove', ...remove.map(keyText)] : ['apply policy.yaml']),
        '--reason',
        quoted(reason === '' ? 'REASON' : reason),
      ].join(' '),
    }),
  );
}

function comparable({ problems }: ConsolePlan, effects: readonly ConsoleEffect[]): boolean {
  return problems.length === 0 && effects.length > 0 && effects.every(({ shadowedBy }) => shadowedBy === '');
}

/** Why nothing can be applied; undefined where it can. */
function hindranceOf(
  { role }: ConsoleWhoAmI,
  plan: ConsolePlan | undefined,
  effects: readonly ConsoleEffect[],
): string | undefined {
  if (!plan) return 'Working out what this would do …';
  if (plan.problems.length > 0)
    return `${count(plan.problems.length, 'problem', 'problems')} to mend first: see Problems.`;
  if (effects.length === 0) return 'Nothing changes: this holds already.';
  if (effects.some(({ shadowedBy }) => shadowedBy !== ''))
    return 'A part of this would have no effect, so none of it is applied.';
  if (role !== 'author' && role !== 'operator')
    return 'You may look at this; applying needs the role author, which an operator grants.';
  return undefined;
}

function Effect({ effect }: { readonly effect: ConsoleEffect }): ComponentChild {
  const { shadowedBy, before, after } = effect;
  const lines = diffLines(before, after);
  return h(
    'section',
    { class: 'effect' },
    h('h3', {}, h('span', { class: `badge ${effect.effect}` }, verbs[effect.effect]), ` ${keyText(effect)}`),
    shadowedBy === ''
      ? null
      : failure(
          `Without effect: the one of this name in ${shadowedBy} counts. Change it there, or give this one another name.`,
        ),
    h(
      'pre',
      { class: 'diff', tabIndex: 0, 'aria-label': `Lines of ${keyText(effect)} that change` },
      lines.map(({ kind, text }, index) =>
        kind === 'skipped'
          ? h('span', { key: index, class: 'skipped' }, '⋯\n')
          : h(
              kind === 'added' ? 'ins' : kind === 'removed' ? 'del' : 'span',
              { key: index },
              `${kind === 'added' ? '+' : kind === 'removed' ? '−' : ' '} ${text}\n`,
            ),
      ),
    ),
  );
}
