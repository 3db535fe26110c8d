import { type ComponentChild, h } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type {
  ConsoleChange,
  ConsoleChanges,
  ConsoleCompareQuestion,
  ConsoleDiff,
  ConsoleKept,
  ConsoleKeptQuestion,
  ConsolePlan,
  ConsoleWhoAmI,
} from '../wire/console.ts';
import { answered } from './answered.ts';
import { ChangePanel } from './change-panel.ts';
import { Command, quoted } from './command.ts';
import { Effect } from './effect.ts';
import { keyOf, keyText } from './elements.ts';
import { WhatItDoes } from './semantic-diff.ts';
import { usePlan } from './use-plan.ts';
import { useQuestion } from './use-question.ts';

interface ViewProps {
  /** Of this policy alone; undefined: of all that are kept here. */
  readonly policy: string | undefined;
  readonly onEnded: () => void;
}

const ofPolicy = (policy: string | undefined) => (policy === undefined ? {} : { policy: keyOf(policy) });
const named = (policy: string | undefined) => (policy === undefined ? '' : ` ${quoted(policy)}`);

/** What was kept at a revision. */
export function Kept({
  policy,
  revision,
  onEnded,
}: ViewProps & { readonly revision: number }): ComponentChild {
  const body: ConsoleKeptQuestion = { ...ofPolicy(policy), revision };
  const question = useQuestion<ConsoleKept>('history/policies', body, onEnded);
  useEffect(question.ask, [question.ask]);
  return [
    h('h3', {}, `As kept at revision ${revision}`),
    answered(question, ({ policies, more }) => [
      policies.length === 0 ? h('p', {}, 'It was not kept here then.') : null,
      policies.map((each) =>
        h(
          'section',
          { key: keyText(each), class: 'effect' },
          h('h4', {}, keyText(each)),
          h(
            'pre',
            {
              class: 'kept',
              tabIndex: 0,
              role: 'group',
              'aria-label': `${keyText(each)} at revision ${revision}`,
            },
            each.text,
          ),
        ),
      ),
      more === 0 ? null : h('p', { class: 'odd' }, `${more} more are not shown: the command shows all.`),
    ]),
    h(Command, { line: `citadel policy show${named(policy)} --revision ${revision}` }),
  ];
}

/** What one revision has otherwise than another, line by line, and what that decides otherwise. */
export function Comparison({
  policy,
  from,
  to,
  onEnded,
}: ViewProps & { readonly from: number; readonly to: number }): ComponentChild {
  const body: ConsoleCompareQuestion = { ...ofPolicy(policy), from, to };
  const changes = useQuestion<ConsoleChanges>('history/changes', body, onEnded);
  const decides = useQuestion<ConsoleDiff>('history/diff', body, onEnded);
  useEffect(changes.ask, [changes.ask]);
  useEffect(decides.ask, [decides.ask]);
  const side = (revision: number) =>
    quoted(`revision:${revision}${policy === undefined ? '' : `:${policy}`}`);
  return [
    h('h3', {}, `From revision ${from} to ${to}`),
    answered(changes, ({ effects, more }) => [
      effects.length === 0 ? h('p', {}, 'Nothing differs.') : null,
      effects.map((effect) => h(Effect, { key: keyText(effect), effect })),
      more === 0 ? null : h('p', { class: 'odd' }, `${more} more differ, and are not shown.`),
    ]),
    h(WhatItDoes, { question: decides }),
    h(Command, { line: `citadel policy diff ${side(from)} ${side(to)}` }),
  ];
}

interface RollBackProps extends ViewProps {
  readonly who: ConsoleWhoAmI;
  readonly revision: number;
  readonly onApplied: (plan: ConsolePlan) => void;
}

/** What going back would do, and doing it. */
export function RollBack({ who, policy, revision, onApplied, onEnded }: RollBackProps): ComponentChild {
  const [reason, onReason] = useState('');
  const change = useMemo<ConsoleChange>(
    () => ({
      text: '',
      remove: [],
      restore: { revision, keys: policy === undefined ? [] : [keyOf(policy)] },
    }),
    [policy, revision],
  );
  const planned = usePlan(change, 'restore', onEnded);
  return [
    h('h3', {}, `Back to revision ${revision}`),
    h(ChangePanel, {
      who,
      change,
      planned,
      reason,
      onReason,
      verb: 'Roll back',
      command: (why) => `citadel policy rollback ${revision}${named(policy)} --reason ${quoted(why)}`,
      onApplied,
      onEnded,
    }),
  ];
}
