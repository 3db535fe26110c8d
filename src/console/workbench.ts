import { type ComponentChild, h } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type {
  ConsoleChange,
  ConsolePlan,
  ConsolePolicies,
  ConsolePolicyHead,
  ConsoleProblem,
  ConsoleWhoAmI,
  ConsoleWorld,
} from '../wire/console.ts';
import { failing, read } from './call.ts';
import { isEdited, isOlder, type Opened } from './document.ts';
import { draftsOf } from './drafts.ts';
import { Editor, type EditorHandle } from './editor.ts';
import { count, failure, keyOf, keyText, status } from './elements.ts';
import { Panels } from './panels.ts';
import { PolicyList } from './policy-list.ts';
import { Toolbar } from './toolbar.ts';
import { useDocument } from './use-document.ts';
import { usePlan } from './use-plan.ts';
import { useRefresh } from './use-refresh.ts';

interface WorkbenchProps {
  readonly who: ConsoleWhoAmI;
  readonly onEnded: () => void;
}

const refreshEvery = 15_000;
const applyTakes = [300, 1_500, 4_000];
const none: readonly ConsoleProblem[] = [];
const noNames = { namespaces: [], serviceAccounts: [], trustDomain: '' };

/** The policy editor. */
export function Workbench({ who, onEnded }: WorkbenchProps): ComponentChild {
  const owner = who.subject;
  const [policies, setPolicies] = useState<ConsolePolicies>({ policies: [], problems: [] });
  const [world, setWorld] = useState<ConsoleWorld>();
  const { opened, ...edited } = useDocument(owner);
  const [tab, setTab] = useState('problems');
  const [told, setTold] = useState('');
  const [problem, setProblem] = useState('');
  const [unreachable, setUnreachable] = useState('');
  const editor = useRef<EditorHandle>(undefined);
  const later = useRef<ReturnType<typeof setTimeout>[]>([]);
  useEffect(() => () => later.current.forEach(clearTimeout), []);

  const failed = useCallback(failing(setProblem, onEnded), [onEnded]);
  const lost = useCallback(
    failing((why) => setUnreachable(`What is shown may be old: ${why}. This page goes on asking.`), onEnded),
    [onEnded],
  );
  const look = useCallback(async (signal: AbortSignal) => {
    const found = await read<ConsolePolicies>('policies', signal);
    if (signal.aborted) return;
    setPolicies(found);
    setUnreachable('');
    // Names to choose from are a help, and nothing that must be there.
    const names = await read<ConsoleWorld>('world', signal).catch(() => undefined);
    if (names && !signal.aborted) setWorld(names);
  }, []);
  const refresh = useRefresh(look, refreshEvery, lost);

  const { key, text, removing } = opened;
  const change = useMemo<ConsoleChange>(
    () => (removing ? { text: '', remove: [keyOf(key)] } : { text, remove: [] }),
    [key, text, removing],
  );
  const head = policies.policies.find((each) => keyText(each) === key);
  const planned = usePlan(change, key, onEnded, head?.generation);
  const problems = planned.last?.problems ?? none;
  const warnings = planned.last?.warnings ?? none;
  // What nobody has typed into shows what holds.
  const isBehind = !isEdited(opened) && !removing && isOlder(opened, head?.generation);
  useEffect(() => {
    if (isBehind) edited.open(key).catch(failed);
  }, [isBehind, key, head?.generation, failed]);

  const tell = (what: string) => {
    setProblem('');
    setTold(what);
    editor.current?.focus();
  };
  const open = (chosen: string, what: string, drops = false) => {
    const opening = async () => {
      if (await edited.open(chosen, drops)) tell(what);
    };
    opening().catch(failing((why) => setProblem(`${chosen} cannot be opened: ${why}.`), onEnded));
  };
  const format = () => {
    setProblem('');
    edited.format().then(setTold, failed);
  };
  const review = () => {
    setTab('change');
    document.querySelector<HTMLElement>('#tab-change')?.focus();
  };
  const done = (what: string) => {
    setTold(what);
    setProblem('');
    planned.renew();
    // What has been applied counts once the server has worked it out, a moment later.
    later.current = applyTakes.map((wait) => setTimeout(refresh, wait));
  };

  return h(
    'div',
    { class: 'workbench' },
    h(PolicyList, {
      ...policies,
      selected: key,
      drafts: draftsOf(owner),
      onSelect: (chosen) => open(chosen, `${chosen} is in the editor.`),
      onNew: () => {
        edited.openNew();
        tell('A new policy.');
      },
    }),
    h(
      'main',
      { class: 'desk' },
      h(Toolbar, {
        opened,
        head,
        onRevert: () => open(key, `${key} is as it holds.`, true),
        onFormat: format,
        onToggleRemoving: () => {
          edited.toggleRemoving();
          setTold('');
          setTab('change');
        },
        onReview: review,
      }),
      h(Editor, {
        version: opened.version,
        text,
        problems: removing ? none : problems,
        warnings: removing ? none : warnings,
        names: () => world ?? noNames,
        onChange: (typed) => {
          edited.type(typed);
          setTold('');
        },
        onReview: review,
        onFormat: format,
        onReady: (handle) => {
          editor.current = handle;
        },
      }),
      h(
        'div',
        { class: 'told' },
        status(told),
        problem === '' ? null : failure(problem),
        unreachable === '' ? null : failure(unreachable),
        h(Outdated, { opened, head }),
      ),
      h(Panels, {
        who,
        opened,
        head,
        change,
        planned,
        world,
        tab,
        onTab: setTab,
        onGoTo: (line, column) => editor.current?.focusAt(line, column),
        onApplied: (plan) => {
          edited.apply(opened, plan);
          done(changedWords(plan));
        },
        onRolledBack: (plan) => done(changedWords(plan)),
        onDone: done,
        onEnded,
      }),
    ),
  );
}

function changedWords({ revision, effects }: ConsolePlan): string {
  const changed = effects.filter(({ effect }) => effect !== 'unchanged');
  return `Revision ${revision}: ${count(changed.length, 'policy', 'policies')} changed.`;
}

/** Somebody else has changed what is edited here: nothing of theirs is to be lost unseen. */
function Outdated({
  opened,
  head,
}: {
  readonly opened: Opened;
  readonly head: ConsolePolicyHead | undefined;
}): ComponentChild {
  if (!isEdited(opened) || !isOlder(opened, head?.generation)) return null;
  return h(
    'p',
    { class: 'odd', role: 'status' },
    'Others have changed this policy since you began: Change compares with what holds now, and Revert takes it.',
  );
}
