import { type ComponentChild, h } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ConsolePolicyHead } from '../wire/console.ts';
import { button, count, keyText } from './elements.ts';
import { filterPolicies } from './policy-search.ts';

export interface PolicyListProps {
  readonly policies: readonly ConsolePolicyHead[];
  readonly problems: readonly string[];
  readonly selected: string;
  readonly drafts: ReadonlySet<string>;
  readonly onSelect: (policy: ConsolePolicyHead) => void;
  readonly onNew: () => void;
}

/** More are not drawn: a search finds the others. */
const mostShown = 200;
const shortKinds: Readonly<Record<string, string>> = {
  AuthorizationPolicy: 'authorization',
  PeerAuthentication: 'peer authentication',
  RequestAuthentication: 'request authentication',
};

/** All policies that count, by namespace. */
export function PolicyList(props: PolicyListProps): ComponentChild {
  const { policies, problems, drafts, onNew } = props;
  const [search, setSearch] = useState('');
  const found = useMemo(() => filterPolicies(policies, search), [policies, search]);
  const groups = Map.groupBy(found.slice(0, mostShown), ({ namespace }) => namespace);
  return h(
    'nav',
    { class: 'list', 'aria-label': 'Policies' },
    h(
      'div',
      { class: 'list-head' },
      h('label', { class: 'hidden', for: 'search' }, 'Search policies'),
      h('input', {
        id: 'search',
        type: 'search',
        placeholder: 'Search policies',
        autocomplete: 'off',
        value: search,
        onInput: (event: InputEvent) =>
          setSearch(event.target instanceof HTMLInputElement ? event.target.value : ''),
      }),
      button('New', onNew, {
        class: 'primary',
        'aria-label': 'New policy',
        title: drafts.has('') ? 'There is a draft' : '',
      }),
    ),
    h(
      'p',
      { class: 'faint list-count', role: 'status' },
      search === '' ? count(policies.length, 'policy', 'policies') : `${found.length} of ${policies.length}`,
    ),
    h(
      'div',
      { class: 'list-body' },
      [...groups].map(([namespace, members]) =>
        h(
          'section',
          { key: namespace, 'aria-label': `namespace ${namespace}` },
          h('h2', {}, namespace),
          h(
            'ul',
            {},
            members.map((policy) => h(Entry, { key: keyText(policy), policy, ...props })),
          ),
        ),
      ),
      found.length > mostShown
        ? h('p', { class: 'faint' }, `${found.length - mostShown} more; search for them`)
        : null,
    ),
    problems.length > 0 ? h(Problems, { problems }) : null,
  );
}

function Entry({
  policy,
  selected,
  drafts,
  onSelect,
}: { readonly policy: ConsolePolicyHead } & PolicyListProps): ComponentChild {
  const key = keyText(policy);
  const { refused, pending, warnings } = policy;
  return h(
    'li',
    {},
    h(
      'button',
      {
        type: 'button',
        class: 'entry',
        'aria-current': key === selected ? 'true' : undefined,
        onClick: () => onSelect(policy),
      },
      h(
        'span',
        { class: 'entry-name' },
        policy.name,
        drafts.has(key) ? h('span', { class: 'edited' }, ' edited') : null,
      ),
      h(
        'span',
        { class: 'entry-more' },
        shortKinds[policy.kind] ?? policy.kind,
        policy.stored ? '' : ' · read only',
        refused > 0
          ? h('span', { class: 'bad' }, ` · ${count(refused, 'proxy refuses it', 'proxies refuse it')}`)
          : '',
        refused === 0 && pending > 0 ? ` · ${pending} pending` : '',
        warnings > 0 ? h('span', { class: 'odd' }, ` · ${count(warnings, 'warning', 'warnings')}`) : '',
      ),
    ),
  );
}

function Problems({ problems }: { readonly problems: readonly string[] }): ComponentChild {
  return h(
    'details',
    { class: 'list-problems' },
    h('summary', {}, count(problems.length, 'thing does not count', 'things do not count')),
    h(
      'ul',
      {},
      problems.map((problem) => h('li', { key: problem }, problem)),
    ),
  );
}
