import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConsoleFormatted, ConsolePlan, ConsolePolicy } from '../wire/console.ts';
import { CallError, post, read } from './call.ts';
import {
  applied,
  formatted,
  newPolicy,
  nothingOpened,
  type Opened,
  opens,
  opensNew,
  typed,
} from './document.ts';
import { draftOf, dropDraft, keepDraft, keepOpened, lastOpened } from './drafts.ts';
import { keyText } from './elements.ts';

export interface EditedDocument {
  readonly opened: Opened;
  readonly type: (text: string) => void;
  /**
   * Shows a policy, with what was typed of it unless that is to be dropped. @returns whether it is shown: not where another
   * was asked for meanwhile
   */
  readonly open: (key: string, drops?: boolean) => Promise<boolean>;
  readonly openNew: () => void;
  readonly toggleRemoving: () => void;
  /** @returns what came of it, for people */
  readonly format: () => Promise<string>;
  readonly apply: (of: Opened, plan: ConsolePlan) => void;
}

/** What is in the editor, kept as a draft while it differs from what holds. */
export function useDocument(owner: string): EditedDocument {
  const [opened, setOpened] = useState<Opened>(() =>
    opensNew(nothingOpened, draftOf(owner, nothingOpened.key)),
  );
  const [last] = useState(() => lastOpened(owner));
  const now = useRef(opened);
  now.current = opened;
  const opening = useRef<AbortController>(undefined);
  useEffect(() => () => opening.current?.abort(), []);
  useLayoutEffect(() => keepOpened(owner, opened.key), [owner, opened.key]);
  useLayoutEffect(() => keepDraft(owner, opened), [owner, opened.key, opened.text, opened.saved]);

  const open = useCallback(
    async (key: string, drops = false) => {
      opening.current?.abort();
      const own = new AbortController();
      opening.current = own;
      // Looked for when the answer is there: something may be typed until then.
      const draft = () => (drops ? undefined : draftOf(owner, key));
      try {
        const { text, generation } = await read<ConsolePolicy>(`policies/${key}`, own.signal);
        if (own.signal.aborted) return false;
        setOpened((before) => opens(before, { key, saved: text, generation }, draft()));
      } catch (error) {
        if (own.signal.aborted) return false;
        // What was typed of a policy that is gone would make it anew.
        const isGone = error instanceof CallError && error.code === 'NotFound';
        const left = draft();
        if (!isGone || !left) throw error;
        setOpened((before) => opens(before, { key, saved: '', generation: undefined }, left));
      }
      return true;
    },
    [owner],
  );
  // After a session that has ended, or a reload, it goes on where it was; where that is gone, with a new policy.
  useEffect(() => {
    if (last !== newPolicy) open(last).catch(() => undefined);
  }, []);
  return {
    opened,
    type: useCallback((text) => setOpened((before) => typed(before, text)), []),
    open,
    openNew: useCallback(() => {
      opening.current?.abort();
      setOpened((before) => opensNew(before, draftOf(owner, nothingOpened.key)));
    }, [owner]),
    toggleRemoving: useCallback(() => setOpened((before) => ({ ...before, removing: !before.removing })), []),
    format: useCallback(async () => {
      const of = now.current;
      const { text } = await post<ConsoleFormatted>('format', { text: of.text });
      if (text === undefined) return 'This is no YAML: see Problems.';
      if (text === of.text) return 'It is in its form already.';
      const isStillThere = now.current.key === of.key && now.current.text === of.text;
      setOpened((before) => formatted(before, of, text));
      return isStillThere ? 'Formatted.' : 'It was changed meanwhile: format it again.';
    }, []),
    apply: useCallback(
      (of, { effects, revision }) => {
        dropDraft(owner, of.key);
        setOpened((before) => applied(before, of, { keys: effects.map(keyText), generation: revision }));
      },
      [owner],
    ),
  };
}
