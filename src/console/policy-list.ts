import { type ComponentChild, h } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ConsolePolicyHead } from '../wire/console.ts';
import { newPolicy } from './document.ts';
import { button, count, keyText, typedText } from './elements.ts';
import { filterPolicies } from './policy-search.ts';

export interface PolicyListProps {
  readonly policies: readonly ConsolePolicyHead[];
  readonly problems: readonly string[];
  readonly selected: string;
  readonly drafts: ReadonlySet<string>;
  /** By its key. */
  readonly onSelect: (key: string) => void;
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
        onInput: typedText(setSearch),
      }),
      button('New', onNew, {
        class: 'primary',
        'aria-label': 'New policy',
        title: drafts.has(newPolicy) ? 'There is a draft' : '',
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
    h(Orphans, props),
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
        onClick: () => onSelect(key),
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

/** What was typed of policies that are there no more, or not now: it must be found again. */
function Orphans({ policies, selected, drafts, onSelect }: PolicyListProps): ComponentChild {
  const known = new Set(policies.map(keyText));
  const orphans = [...drafts].filter((key) => key !== newPolicy && key !== selected && !known.has(key));
  if (policies.length === 0 || orphans.length === 0) return null;
  return h(
    'section',
    { class: 'list-drafts', 'aria-label': 'Drafts of policies that are gone' },
    h('h2', {}, 'Drafts of what is gone'),
    h(
      'ul',
      {},
      orphans.map((key) =>
        h(
          'li',
          { key },
          button(key, () => onSelect(key), { class: 'entry' }),
        ),
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
