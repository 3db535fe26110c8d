import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { ConsoleAccess, ConsoleAccessRow, ConsoleWorld } from '../wire/console.ts';
import { AccessGraph } from './access-graph.ts';
import { CallError, describe, post } from './call.ts';
import { Command, quoted } from './command.ts';
import { failure } from './elements.ts';

interface AccessPanelProps {
  readonly text: string;
  readonly world: ConsoleWorld | undefined;
  readonly onEnded: () => void;
}

/** Every caller that may reach a service, under the text in the editor and all else that holds. */
export function AccessPanel({ text, world, onEnded }: AccessPanelProps): ComponentChild {
  const [to, setTo] = useState('');
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<ConsoleAccess>();
  const [problem, setProblem] = useState('');
  const ask = async () => {
    setBusy(true);
    setProblem('');
    setFound(await post<ConsoleAccess>('who', { text, to }));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    ask()
      .catch((error: unknown) => {
        setFound(undefined);
        if (error instanceof CallError && error.code === 'Unauthenticated') onEnded();
        else setProblem(describe(error));
      })
      .finally(() => setBusy(false));
  };
  return h(
    'div',
    { class: 'panel-body' },
    h(
      'form',
      { class: 'apply', onSubmit: submit },
      h('label', { for: 'callee' }, 'Who may call'),
      h('input', {
        id: 'callee',
        required: true,
        list: 'called',
        autocomplete: 'off',
        spellcheck: false,
        placeholder: 'shop/orders:80',
        value: to,
        onInput: (event: InputEvent) =>
          setTo(event.target instanceof HTMLInputElement ? event.target.value : ''),
      }),
      h('button', { type: 'submit', class: 'primary', disabled: busy }, 'Show'),
      h(
        'datalist',
        { id: 'called' },
        (world?.services ?? []).map((value) => h('option', { key: value, value })),
      ),
    ),
    problem === '' ? null : failure(problem),
    h(
      'div',
      { class: 'semantic', 'aria-live': 'polite', 'aria-busy': busy ? 'true' : 'false' },
      found ? h(Found, { found }) : null,
    ),
    h(Command, { line: `citadel policy who --to ${quoted(to === '' ? 'CALLEE' : to)}` }),
  );
}

function Found({ found }: { readonly found: ConsoleAccess }): ComponentChild {
  const { rows, open } = found;
  return [
    rows.length === 0 ? h('p', {}, 'Nobody may call it.') : h(AccessGraph, found),
    rows.length === 0 ? null : h(Table, { rows }),
    open.map((reason) => h('p', { key: reason, class: 'odd' }, `Not all is told: ${reason}`)),
  ];
}

function Table({ rows }: { readonly rows: readonly ConsoleAccessRow[] }): ComponentChild {
  const titles = ['To', 'Caller', 'Methods', 'Paths', 'When'];
  return h(
    'div',
    { class: 'table', tabIndex: 0, role: 'region', 'aria-label': 'Ways in' },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          titles.map((title) => h('th', { key: title, scope: 'col' }, title)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map(({ to, callers, methods, paths, conditions }, index) =>
          h(
            'tr',
            { key: index },
            [to, callers, methods || '–', paths || 'any connection', conditions.join(', ') || '–'].map(
              (text, at) => h('td', { key: at }, text),
            ),
          ),
        ),
      ),
    ),
  );
}
