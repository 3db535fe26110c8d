import { type ComponentChild, h } from 'preact';
import { useCallback, useRef, useState } from 'preact/hooks';
import type {
  ConsolePlan,
  ConsolePromotion,
  ConsoleShadow,
  ConsoleShadowOrder,
  ConsoleShadowStatus,
  ConsoleWhoAmI,
} from '../wire/console.ts';
import { failing, post, read } from './call.ts';
import { mayChange } from './change-panel.ts';
import { Command, quoted } from './command.ts';
import { ConfirmDialog } from './confirm-dialog.ts';
import { Effect } from './effect.ts';
import { button, checkBox, failure, instant, keyText } from './elements.ts';
import { ShadowSeen } from './shadow-seen.ts';
import { useRefresh } from './use-refresh.ts';

interface ShadowPanelProps {
  readonly who: ConsoleWhoAmI;
  /** Called with what has been done, for people. */
  readonly onDone: (what: string) => void;
  readonly onEnded: () => void;
}

const refreshEvery = 3_000;

/** A change that is tried beside what holds: what proxies saw of it, and what becomes of it. */
export function ShadowPanel({ who, onDone, onEnded }: ShadowPanelProps): ComponentChild {
  const [shadow, setShadow] = useState<ConsoleShadow | null>();
  const [problem, setProblem] = useState('');
  // What is asked is asked of the candidate that was seen, whatever is tried by then.
  const [asked, setAsked] = useState<{ readonly what: 'promote' | 'revert'; readonly of: ConsoleShadow }>();
  const mayHold = shadow?.base === shadow?.revision && shadow?.obstacles.length === 0;
  const body = useRef<HTMLDivElement>(null);
  const look = useCallback(async (signal: AbortSignal) => {
    const found = await read<ConsoleShadowStatus>('shadow', signal);
    if (signal.aborted) return;
    setShadow(found.shadow);
    setProblem('');
  }, []);
  const failed = useCallback(failing(setProblem, onEnded), [onEnded]);
  const refresh = useRefresh(look, refreshEvery, failed);
  const done = (what: string) => {
    refresh();
    // The buttons are gone with what they were for.
    body.current?.focus();
    onDone(what);
  };
  return h(
    'div',
    { class: 'panel-body', ref: body, tabIndex: -1 },
    problem === '' ? null : failure(problem),
    shadow === null
      ? h(
          'p',
          {},
          'Nothing is tried. To try what is in the editor, say why under Change and choose “Try beside what holds”: proxies decide by it and tell, and enforce nothing of it.',
        )
      : null,
    shadow
      ? [
          h(Head, { shadow }),
          mayChange(who.role)
            ? h(
                'div',
                { class: 'actions' },
                button(
                  'Promote …',
                  () => {
                    if (mayHold) setAsked({ what: 'promote', of: shadow });
                  },
                  { 'aria-disabled': mayHold ? undefined : 'true' },
                ),
                button('Take back …', () => setAsked({ what: 'revert', of: shadow })),
              )
            : h('p', { class: 'faint' }, 'Promoting it or taking it back needs the role author.'),
          h(ShadowSeen, { shadow }),
          h('h3', {}, 'What is tried'),
          shadow.effects.map((effect) => h(Effect, { key: keyText(effect), effect })),
        ]
      : null,
    asked
      ? h(asked.what === 'promote' ? Promote : TakeBack, {
          shadow: asked.of,
          onDone: done,
          onClosed: () => setAsked(undefined),
          onEnded,
        })
      : null,
    h(Command, { line: 'citadel policy shadow status' }),
  );
}

function Head({ shadow }: { readonly shadow: ConsoleShadow }): ComponentChild {
  const { id, by, at, reason, base, revision, obstacles, doubts } = shadow;
  return [
    h('h3', {}, `Candidate ${id}`),
    h('p', { class: 'words' }, `Of ${by}, ${instant(at)}${reason === '' ? '' : `: ${reason}`}`),
    base === revision
      ? h('p', { class: 'faint' }, `Tried beside revision ${base}.`)
      : failure(
          `Made for revision ${base}, but the policies are at revision ${revision} by now: History says what changed. Take it back and try it anew.`,
        ),
    obstacles.map((obstacle) =>
      h('p', { key: obstacle, class: 'odd' }, `It cannot be promoted: ${obstacle}.`),
    ),
    doubts.map((doubt) => h('p', { key: doubt, class: 'odd' }, `Not ready to be promoted: ${doubt}.`)),
  ];
}

interface OrderProps {
  readonly shadow: ConsoleShadow;
  readonly onDone: (what: string) => void;
  readonly onClosed: () => void;
  readonly onEnded: () => void;
}

function Promote({ shadow, onDone, onClosed, onEnded }: OrderProps): ComponentChild {
  const { id, doubts } = shadow;
  const [force, setForce] = useState(false);
  const promote = async (reason: string) => {
    const order: ConsolePromotion = { id, reason, force };
    const { revision } = await post<ConsolePlan>('shadow/promote', order);
    onDone(`Revision ${revision}: the candidate holds.`);
  };
  return h(
    ConfirmDialog,
    {
      title: 'Make the candidate hold',
      verb: 'Promote',
      command: (why) => `citadel policy shadow promote${force ? ' --force' : ''} --reason ${quoted(why)}`,
      onConfirm: promote,
      onClosed,
      onEnded,
      children: [],
    },
    h(Objects, { shadow, what: 'would hold' }),
    doubts.map((doubt) => h('p', { key: doubt, class: 'odd' }, `In doubt: ${doubt}.`)),
    doubts.length === 0 ? null : checkBox('Promote it all the same', force, setForce),
  );
}

function TakeBack({ shadow, onDone, onClosed, onEnded }: OrderProps): ComponentChild {
  const takeBack = async (reason: string) => {
    const order: ConsoleShadowOrder = { id: shadow.id, reason };
    await post('shadow/revert', order);
    onDone('Nothing is tried any more.');
  };
  return h(
    ConfirmDialog,
    {
      title: 'Take the candidate back',
      verb: 'Take back',
      command: (why) => `citadel policy shadow revert --reason ${quoted(why)}`,
      onConfirm: takeBack,
      onClosed,
      onEnded,
      children: [],
    },
    h(Objects, { shadow, what: 'is tried no more' }),
    h('p', { class: 'faint' }, 'What holds goes on to hold.'),
  );
}

function Objects({ shadow, what }: Pick<OrderProps, 'shadow'> & { readonly what: string }): ComponentChild {
  return h(
    'ul',
    { class: 'plain' },
    shadow.effects.map((effect) =>
      h(
        'li',
        { key: keyText(effect) },
        h('strong', {}, keyText(effect)),
        ` ${effect.effect === 'remove' ? 'is removed, where this ' : ''}${what}`,
      ),
    ),
  );
}
