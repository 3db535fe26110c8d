import { type ComponentChild, h } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type {
  ConsoleFormatted,
  ConsolePlan,
  ConsolePolicies,
  ConsolePolicy,
  ConsolePolicyHead,
  ConsoleProblem,
  ConsoleWhoAmI,
  ConsoleWorld,
} from '../wire/console.ts';
import { AccessPanel } from './access-panel.ts';
import { CallError, describe, post, read } from './call.ts';
import { ChangePanel } from './change-panel.ts';
import { Command } from './command.ts';
import { draftOf, draftsOf, dropDraft, keepDraft, newPolicy } from './drafts.ts';
import { Editor, type EditorHandle } from './editor.ts';
import { button, count, failure, keyText, status } from './elements.ts';
import { ExplainPanel } from './explain-panel.ts';
import { PolicyList } from './policy-list.ts';
import { ProblemList } from './problem-list.ts';
import { Tabs } from './tabs.ts';
import { usePlan } from './use-plan.ts';

interface WorkbenchProps {
  readonly who: ConsoleWhoAmI;
  readonly onEnded: () => void;
}

/** What is in the editor. */
interface Opened {
  /** Empty for a policy that is not there yet. */
  readonly key: string;
  readonly head: ConsolePolicyHead | undefined;
  /** What it says in the mesh. */
  readonly saved: string;
  readonly removing: boolean;
  /** Grows with each text that the editor is to show anew. */
  readonly version: number;
}

const refreshEvery = 15_000;
const applyTakes = [300, 1_500, 4_000];
const example = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: my-policy
  namespace: my-namespace
spec:
  action: ALLOW
  rules: []
`;
const nothingOpened: Opened = { key: newPolicy, head: undefined, saved: '', removing: false, version: 0 };
const none: readonly ConsoleProblem[] = [];
const noNames = { namespaces: [], serviceAccounts: [], trustDomain: '' };

/** The policy editor. */
export function Workbench({ who, onEnded }: WorkbenchProps): ComponentChild {
  const owner = who.subject;
  const [policies, setPolicies] = useState<ConsolePolicies>({ policies: [], problems: [] });
  const [opened, setOpened] = useState<Opened>(nothingOpened);
  const [text, setText] = useState(draftOf(owner, newPolicy) ?? example);
  const [tab, setTab] = useState('problems');
  const [told, setTold] = useState('');
  const [problem, setProblem] = useState('');
  const editor = useRef<EditorHandle>(undefined);
  const [world, setWorld] = useState<ConsoleWorld>();

  const failed = useCallback(
    (error: unknown) => {
      if (error instanceof CallError && error.code === 'Unauthenticated') onEnded();
      else setProblem(describe(error));
    },
    [onEnded],
  );
  const remove = useMemo(() => (opened.removing && opened.head ? [keyOf(opened.head)] : []), [opened]);
  const planned = usePlan(opened.removing ? '' : text, remove, failed);
  const { plan, last } = planned;
  const problems = last?.problems ?? none;
  const warnings = last?.warnings ?? none;

  const refresh = useCallback(() => {
    read<ConsolePolicies>('policies').then(setPolicies, failed);
    // Names to choose from are a help, and nothing that must be there.
    read<ConsoleWorld>('world').then(setWorld, () => undefined);
  }, [failed]);
  useEffect(() => {
    refresh();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') refresh();
    }, refreshEvery);
    return () => clearInterval(timer);
  }, [refresh]);

  const open = (next: Omit<Opened, 'version'>, shown: string) => {
    setOpened({ ...next, version: opened.version + 1 });
    setText(shown);
    setProblem('');
  };
  const openNew = () => {
    open({ ...nothingOpened }, draftOf(owner, newPolicy) ?? example);
    setTold('A new policy.');
    editor.current?.focus();
  };
  const openPolicy = async (chosen: ConsolePolicyHead) => {
    const { text: saved, ...fresh } = await read<ConsolePolicy>(`policies/${keyText(chosen)}`);
    const key = keyText(fresh);
    open({ key, head: fresh, saved, removing: false }, draftOf(owner, key) ?? saved);
    setTold(`${key} is in the editor.`);
    editor.current?.focus();
  };
  const change = (typed: string) => {
    setText(typed);
    setTold('');
    if (typed === opened.saved) dropDraft(owner, opened.key);
    else keepDraft(owner, opened.key, typed);
  };
  const show = (shown: string) => {
    change(shown);
    setOpened({ ...opened, version: opened.version + 1 });
  };
  const format = async () => {
    const formatted = await post<ConsoleFormatted>('format', { text });
    if (formatted.text === undefined) {
      setTold('This is no YAML: see Problems.');
      return;
    }
    if (formatted.text !== text) show(formatted.text);
    setTold(formatted.text === text ? 'It is in its form already.' : 'Formatted.');
  };
  const review = () => {
    setTab('change');
    document.querySelector<HTMLElement>('#tab-change')?.focus();
  };
  const applied = ({ revision, effects }: ConsolePlan) => {
    dropDraft(owner, opened.key);
    const changed = effects.filter(({ effect }) => effect !== 'unchanged');
    setTold(`Revision ${revision}: ${count(changed.length, 'policy', 'policies')} changed.`);
    const [first] = changed;
    if (opened.removing || !first) open({ ...nothingOpened }, example);
    else setOpened({ ...opened, key: opened.key === newPolicy ? keyText(first) : opened.key, saved: text });
    planned.renew();
    // What has been applied counts once the server has worked it out, a moment later.
    for (const wait of applyTakes) setTimeout(refresh, wait);
  };

  const { head } = opened;
  const edited = opened.key !== newPolicy && text !== opened.saved;
  return h(
    'div',
    { class: 'workbench' },
    h(PolicyList, {
      ...policies,
      selected: opened.key,
      drafts: draftsOf(owner),
      onSelect: (chosen) => void openPolicy(chosen).catch(failed),
      onNew: openNew,
    }),
    h(
      'main',
      { class: 'desk' },
      h(
        'div',
        { class: 'toolbar' },
        h('h2', {}, opened.key === newPolicy ? 'New policy' : opened.key),
        head && !head.stored
          ? h('span', { class: 'badge', title: head.source }, `kept in ${head.source}: change it there`)
          : null,
        edited ? button('Revert', () => show(opened.saved), { class: 'quiet' }) : null,
        button('Format', () => void format().catch(failed), { title: 'Shift+Alt+F' }),
        head?.stored
          ? button(opened.removing ? 'Keep it' : 'Remove …', () => {
              setOpened({ ...opened, removing: !opened.removing });
              setTab('change');
            })
          : null,
        button('Review', review, { class: 'primary', title: 'Ctrl+S' }),
      ),
      h(Editor, {
        version: opened.version,
        text,
        problems: opened.removing ? none : problems,
        warnings: opened.removing ? none : warnings,
        names: () => world ?? noNames,
        onChange: change,
        onReview: review,
        onFormat: () => void format().catch(failed),
        onReady: (handle) => {
          editor.current = handle;
        },
      }),
      h('div', { class: 'told' }, status(told), problem === '' ? null : failure(problem)),
      h(
        Tabs,
        {
          label: 'About this policy',
          tabs: [
            { id: 'problems', title: 'Problems', count: problems.length + warnings.length },
            { id: 'change', title: 'Change' },
            { id: 'explain', title: 'Explain' },
            { id: 'access', title: 'Callers' },
            { id: 'status', title: 'Status' },
          ],
          selected: tab,
          onSelect: setTab,
          children: [],
        },
        tab === 'problems'
          ? h(ProblemList, {
              known: last !== undefined,
              problems,
              warnings,
              onGoTo: (line, column) => editor.current?.focusAt(line, column),
            })
          : null,
        tab === 'change'
          ? h(ChangePanel, {
              who,
              text: opened.removing ? '' : text,
              remove,
              plan,
              onApplied: applied,
              onOutdated: planned.renew,
              onEnded,
            })
          : null,
        tab === 'explain' ? h(ExplainPanel, { text: opened.removing ? '' : text, world, onEnded }) : null,
        tab === 'access' ? h(AccessPanel, { text: opened.removing ? '' : text, world, onEnded }) : null,
        tab === 'status' ? h(Status, { head }) : null,
      ),
    ),
  );
}

function Status({ head }: { readonly head: ConsolePolicyHead | undefined }): ComponentChild {
  const fact = (name: string, value: string) => [h('dt', {}, name), h('dd', {}, value)];
  return h(
    'div',
    { class: 'panel-body' },
    head
      ? h(
          'dl',
          { class: 'facts' },
          fact('Kept in', head.source),
          fact('Generation', String(head.generation)),
          fact('Holds for', count(head.workloads, 'workload', 'workloads')),
          fact('Proxies', `${head.current} current, ${head.pending} pending, ${head.refused} refuse it`),
        )
      : h('p', { class: 'faint' }, 'It is not in the mesh yet.'),
    h(Command, { line: `citadel policy status${head ? ` --namespace ${head.namespace}` : ''}` }),
  );
}

function keyOf({ kind, namespace, name }: ConsolePolicyHead) {
  return { kind, namespace, name };
}
