import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { ConsoleExplanation, ConsoleQuestion, ConsoleWorld } from '../wire/console.ts';
import { CallError, describe, post } from './call.ts';
import { Command, quoted } from './command.ts';
import { failure } from './elements.ts';

interface ExplainPanelProps {
  readonly text: string;
  readonly world: ConsoleWorld | undefined;
  readonly onEnded: () => void;
}

type Field = Exclude<keyof ConsoleQuestion, 'text'>;
type Said = Readonly<Record<Field, string>>;

const nothingSaid: Said = {
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

/** What becomes of a call under the text in the editor and all else that holds, and why. */
export function ExplainPanel({ text, world, onEnded }: ExplainPanelProps): ComponentChild {
  const [said, setSaid] = useState(nothingSaid);
  const [found, setFound] = useState<ConsoleExplanation>();
  const [problem, setProblem] = useState('');
  const say = (field: Field) => (event: Event) => {
    const { target } = event;
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)
      setSaid({ ...said, [field]: target.value });
  };
  const ask = async () => {
    setProblem('');
    setFound(await post<ConsoleExplanation>('explain', { text, ...said }));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    ask().catch((error: unknown) => {
      setFound(undefined);
      if (error instanceof CallError && error.code === 'Unauthenticated') onEnded();
      else setProblem(describe(error));
    });
  };
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
      { class: 'question', onSubmit: submit },
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
      h('button', { type: 'submit', class: 'primary' }, 'Explain'),
      h('datalist', { id: 'callers' }, ['plaintext', ...(world?.serviceAccounts ?? [])].map(option)),
      h('datalist', { id: 'callees' }, (world?.services ?? []).map(option)),
    ),
    problem === '' ? null : failure(problem),
    h('div', { 'aria-live': 'polite' }, found ? h(Found, { found }) : null),
    h(Command, { line: commandOf(said) }),
  );
}

function option(value: string): ComponentChild {
  return h('option', { key: value, value });
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
    h('pre', { tabIndex: 0, 'aria-label': 'Why' }, why.join('\n')),
    h('h4', {}, 'How it is decided'),
    h(
      'dl',
      { class: 'facts' },
      steps.map(([name, result]) => [h('dt', {}, name), h('dd', {}, result)]),
    ),
    notes.map((note) => h('p', { key: note, class: 'faint' }, note)),
  );
}

function commandOf({ headers, ...said }: Said): string {
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
    'citadel policy explain policy.yaml',
    ...options,
    ...lines.map((line) => `--header ${quoted(line.trim())}`),
  ].join(' ');
}
