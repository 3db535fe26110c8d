import { type ComponentChild, h } from 'preact';
import type { ConsoleAccess, ConsoleChange, ConsoleWorld } from '../wire/console.ts';
import { AccessGraph } from './access-graph.ts';
import { answered } from './answered.ts';
import { assumingOptions } from './assumed.ts';
import { Command, quoted } from './command.ts';
import { offers, submitButton, submitting, typedText } from './elements.ts';
import { callersOf } from './explain-panel.ts';
import { Table } from './table.ts';
import { useQuestion } from './use-question.ts';

interface AccessPanelProps {
  /** Who may reach a workload, or what an identity may reach. */
  readonly asks: 'who' | 'what';
  readonly change: ConsoleChange;
  readonly world: ConsoleWorld | undefined;
  readonly name: string;
  readonly onName: (name: string) => void;
  readonly onEnded: () => void;
}

const words = {
  who: {
    label: 'Who may call',
    placeholder: 'shop/orders:80',
    option: '--to',
    missing: 'CALLEE',
    nothing: 'Nobody may call it.',
    title: 'Ways in',
  },
  what: {
    label: 'What may be called by',
    placeholder: 'shop/web, a SPIFFE ID, plaintext',
    option: '--from',
    missing: 'CALLER',
    nothing: 'It may call nothing.',
    title: 'Ways out',
  },
} as const;

/** Ways between callers and callees that would be open if the change were applied. */
export function AccessPanel({
  asks,
  change,
  world,
  name,
  onName,
  onEnded,
}: AccessPanelProps): ComponentChild {
  const { label, placeholder, option, missing } = words[asks];
  const body = { ...change, [asks === 'who' ? 'to' : 'from']: name };
  const question = useQuestion<ConsoleAccess>(asks, body, onEnded);
  return h(
    'div',
    { class: 'panel-body' },
    h(
      'form',
      { class: 'apply', onSubmit: submitting(question.ask) },
      h('label', { for: 'end' }, label),
      h('input', {
        id: 'end',
        required: true,
        list: 'ends',
        autocomplete: 'off',
        spellcheck: false,
        placeholder,
        value: name,
        onInput: typedText(onName),
      }),
      submitButton('Show', true),
      offers('ends', asks === 'who' ? (world?.services ?? []) : callersOf(world)),
    ),
    answered(question, (found) => h(Found, { asks, found }), true),
    h(Command, {
      line: `citadel policy ${asks}${assumingOptions(change)} ${option} ${quoted(name === '' ? missing : name)}`,
    }),
  );
}

function Found({
  asks,
  found,
}: {
  readonly asks: AccessPanelProps['asks'];
  readonly found: ConsoleAccess;
}): ComponentChild {
  const { rows, open } = found;
  const { nothing, title } = words[asks];
  return [
    rows.length > 0
      ? [
          h(AccessGraph, found),
          h(Table, {
            label: title,
            titles: ['To', ...(asks === 'who' ? ['Caller'] : []), 'Methods', 'Paths', 'When'],
            rows: rows.map(({ to, callers, methods, paths, conditions }) => [
              to,
              ...(asks === 'who' ? [callers] : []),
              methods || '–',
              paths || 'any connection',
              conditions.join(', ') || '–',
            ]),
          }),
        ]
      : open.length > 0
        ? null
        : h('p', {}, nothing),
    open.map((reason) => h('p', { key: reason, class: 'odd' }, `Not all is told: ${reason}`)),
  ];
}
