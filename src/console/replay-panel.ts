import { type ComponentChild, h } from 'preact';
import type {
  ConsoleChange,
  ConsoleReplay,
  ConsoleReplayExample,
  ConsoleReplayGroup,
  ConsoleReplayQuestion,
  ConsoleSpan,
  ConsoleTally,
  ConsoleUndecidedGroup,
} from '../wire/console.ts';
import { answered } from './answered.ts';
import { assumingOptions } from './assumed.ts';
import { Command } from './command.ts';
import { count, instant, submitButton, submitting, typedText } from './elements.ts';
import { useQuestion } from './use-question.ts';

interface ReplayPanelProps {
  readonly change: ConsoleChange;
  readonly span: ConsoleSpan;
  readonly onSpan: (span: ConsoleSpan) => void;
  readonly onEnded: () => void;
}

const spans = [
  ['1h', 'the last hour'],
  ['24h', 'the last day'],
  ['7d', 'the last 7 days'],
] as const satisfies readonly (readonly [ConsoleSpan, string])[];

/** What recorded calls would come to if the change were applied. */
export function ReplayPanel({ change, span, onSpan, onEnded }: ReplayPanelProps): ComponentChild {
  const body: ConsoleReplayQuestion = { ...change, since: span };
  const question = useQuestion<ConsoleReplay>('replay', body, onEnded);
  const chosen = (value: string) => {
    const found = spans.find(([each]) => each === value);
    if (found) onSpan(found[0]);
  };
  return h(
    'div',
    { class: 'panel-body' },
    h(
      'form',
      { class: 'apply', onSubmit: submitting(question.ask) },
      h('label', { for: 'span' }, 'Calls of'),
      h(
        'select',
        { id: 'span', value: span, onChange: typedText(chosen) },
        spans.map(([value, words]) => h('option', { key: value, value }, words)),
      ),
      submitButton('Replay', true),
    ),
    answered(question, (found) => h(Found, { found }), true),
    h(Command, {
      line: `citadel policy replay${assumingOptions(change, '--candidate policy.yaml')} --since ${span}`,
    }),
  );
}

function Found({ found }: { readonly found: ConsoleReplay }): ComponentChild {
  const { total, unchanged, changes, undecided, mismatches, gone, caveats } = found;
  if (total.records === 0)
    return [
      h('p', {}, 'No calls are recorded of this time: nothing can be said by them.'),
      h(Caveats, { caveats }),
    ];
  const changed = sum(changes);
  return h(
    'div',
    { class: 'answer' },
    h(
      'p',
      { class: changed === 0 && undecided.length === 0 ? 'good' : '' },
      `${count(total.calls, 'call', 'calls')} in ${count(total.records, 'way', 'different ways')} recorded: `,
      h('strong', {}, changed === 0 ? 'none' : count(changed, 'call', 'calls')),
      ` would be decided otherwise, ${count(unchanged.calls, 'call', 'calls')} as before.`,
    ),
    h(Groups, { groups: changes }),
    undecided.length > 0
      ? h(
          'section',
          { class: 'answer' },
          h('h3', {}, `Cannot be told: ${count(sum(undecided), 'call', 'calls')}`),
          h('p', { class: 'faint' }, 'The record does not have what would decide.'),
          h(
            'ul',
            { class: 'differences' },
            undecided.map((group) => h(Undecided, { key: group.lacks.join(), group })),
          ),
        )
      : null,
    mismatches.length > 0
      ? h(
          'details',
          { class: 'odd' },
          h(
            'summary',
            {},
            `${count(sum(mismatches), 'call was', 'calls were')} decided otherwise than the present policies do`,
          ),
          h('p', {}, 'These have changed since, or a proxy was behind: they say nothing of the change.'),
          h(Groups, { groups: mismatches }),
        )
      : null,
    gone.records > 0
      ? h(
          'p',
          { class: 'faint' },
          `${count(gone.calls, 'call', 'calls')} to what is there no more: ${gone.callees.join(', ')}`,
        )
      : null,
    h(Caveats, { caveats }),
  );
}

function Groups({ groups }: { readonly groups: readonly ConsoleReplayGroup[] }): ComponentChild {
  if (groups.length === 0) return null;
  return h(
    'ul',
    { class: 'differences' },
    groups.map((group, index) => h(Group, { key: index, group })),
  );
}

function Group({ group }: { readonly group: ConsoleReplayGroup }): ComponentChild {
  const { becomes, calls, caller, callee, before, after, examples } = group;
  return h(
    'li',
    {},
    h(
      'p',
      {},
      h('span', { class: `badge ${becomes}` }, `becomes ${becomes}`),
      ` ${count(calls, 'call', 'calls')} of `,
      h('strong', {}, caller),
      ' to ',
      h('strong', {}, callee),
    ),
    h('p', {}, `Now: ${before}. Then: ${after}.`),
    h(Examples, { examples }),
  );
}

function Undecided({ group }: { readonly group: ConsoleUndecidedGroup }): ComponentChild {
  return h(
    'li',
    {},
    h(
      'p',
      {},
      h('span', { class: 'badge open' }, 'not known'),
      ` ${count(group.calls, 'call', 'calls')}: ${group.lacks.join(', ')}`,
    ),
    h(Examples, { examples: group.examples }),
  );
}

function Examples({ examples }: { readonly examples: readonly ConsoleReplayExample[] }): ComponentChild {
  return examples.map(({ request, caller, workload, calls, last }, index) =>
    h(
      'p',
      { key: index, class: 'witness' },
      h('code', {}, request),
      h(
        'span',
        { class: 'faint' },
        ` of ${caller} to ${workload}, ${count(calls, 'call', 'calls')}, last ${instant(last)}`,
      ),
    ),
  );
}

function Caveats({ caveats }: Pick<ConsoleReplay, 'caveats'>): ComponentChild {
  return caveats.map((caveat) => h('p', { key: caveat, class: 'odd' }, caveat));
}

function sum(tallies: readonly ConsoleTally[]): number {
  return tallies.reduce((all, { calls }) => all + calls, 0);
}
