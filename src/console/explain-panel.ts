import { type ComponentChild, h } from 'preact';
import type { ConsoleChange, ConsoleExplanation, ConsoleQuestion, ConsoleWorld } from '../wire/console.ts';
import { answered } from './answered.ts';
import { assumingOptions } from './assumed.ts';
import { Command, quoted } from './command.ts';
import { offers, submitButton, submitting, typedText } from './elements.ts';
import { useQuestion } from './use-question.ts';

type Field = Exclude<keyof ConsoleQuestion, keyof ConsoleChange>;
export type Said = Readonly<Record<Field, string>>;

interface ExplainPanelProps {
  readonly change: ConsoleChange;
  readonly world: ConsoleWorld | undefined;
  readonly said: Said;
  readonly onSaid: (said: Said) => void;
  readonly onEnded: () => void;
}

export const nothingSaid: Said = {
  from: '',
  to: '',
  method: 'GET',
  path: '/',
  host: '',
  headers: '',
  token: '',
  ip: '',
};
const verdicts = { allow: 'allowed', deny: 'denied', depends: 'open' } as const;

/** What would become of a call if the change were applied, and why. */
export function ExplainPanel({ change, world, said, onSaid, onEnded }: ExplainPanelProps): ComponentChild {
  const question = useQuestion<ConsoleExplanation>('explain', { ...change, ...said }, onEnded);
  const say = (field: Field) => typedText((value) => onSaid({ ...said, [field]: value }));
  const input = (field: Field, label: string, more: object = {}) =>
    h(
      'label',
      { class: 'field' },
      label,
      h('input', {
        value: said[field],
        onInput: say(field),
        autocomplete: 'off',
        spellcheck: false,
        ...more,
      }),
    );
  return h(
    'div',
    { class: 'panel-body' },
    h(
      'form',
      { class: 'question', onSubmit: submitting(question.ask) },
      input('from', 'From', {
        required: true,
        list: 'callers',
        placeholder: 'shop/web, a SPIFFE ID, plaintext',
      }),
      input('to', 'To', { required: true, list: 'callees', placeholder: 'shop/orders:80' }),
      input('method', 'Method'),
      input('path', 'Path'),
      h(
        'details',
        { class: 'more' },
        h('summary', {}, 'More of the request'),
        h(
          'div',
          { class: 'question' },
          input('host', 'Host'),
          input('ip', 'Address of the caller'),
          input('token', 'Token’s claims', { placeholder: '{"iss":"…"} or none' }),
          h(
            'label',
            { class: 'field' },
            'Headers, one a line',
            h('textarea', {
              rows: 2,
              value: said.headers,
              onInput: say('headers'),
              placeholder: 'x-client=v2',
            }),
          ),
        ),
      ),
      submitButton('Explain', true),
      offers('callers', callersOf(world)),
      offers('callees', world?.services ?? []),
    ),
    answered(question, (found) => h(Found, { found }), true),
    h(Command, { line: commandOf(said, change) }),
  );
}

/** Whom a question may be of, of those who are there. */
export function callersOf(world: ConsoleWorld | undefined): readonly string[] {
  return ['plaintext', ...(world?.serviceAccounts ?? [])];
}

function Found({ found }: { readonly found: ConsoleExplanation }): ComponentChild {
  const { verdict, headline, why, steps, notes } = found;
  return h(
    'section',
    { class: 'explanation' },
    h(
      'h3',
      {},
      h('span', { class: `badge ${verdicts[verdict]}` }, verdicts[verdict]),
      ` ${headline.replace(/^[A-Z]+\s+/, '')}`,
    ),
    h('pre', { tabIndex: 0, role: 'group', 'aria-label': 'Why' }, why.join('\n')),
    h('h4', {}, 'How it is decided'),
    h(
      'dl',
      { class: 'facts' },
      steps.map(([name, result]) => [h('dt', {}, name), h('dd', {}, result)]),
    ),
    notes.map((note) => h('p', { key: note, class: 'faint' }, note)),
  );
}

function commandOf({ headers, ...said }: Said, change: ConsoleChange): string {
  const names: Readonly<Record<Exclude<Field, 'headers'>, string>> = {
    from: '--from',
    to: '--to',
    method: '--method',
    path: '--path',
    host: '--host',
    token: '--jwt',
    ip: '--ip',
  };
  const options = Object.entries({ ...said, from: said.from || 'CALLER', to: said.to || 'CALLEE' })
    .filter(([, value]) => value !== '')
    .map(([field, value]) => `${Reflect.get(names, field)} ${quoted(value)}`);
  const lines = headers.split('\n').filter((line) => line.trim() !== '');
  return [
    `citadel policy explain${assumingOptions(change)}`,
    ...options,
    ...lines.map((line) => `--header ${quoted(line.trim())}`),
  ].join(' ');
}
