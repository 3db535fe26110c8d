import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type {
  ConsoleHistory,
  ConsoleHistoryQuestion,
  ConsolePlan,
  ConsoleRevision,
  ConsoleWhoAmI,
} from '../wire/console.ts';
import { answered } from './answered.ts';
import { Command, quoted } from './command.ts';
import { newPolicy } from './document.ts';
import {
  button,
  checkBox,
  instant,
  keyOf,
  keyText,
  submitButton,
  submitting,
  typedText,
} from './elements.ts';
import { Comparison, Kept, RollBack } from './history-views.ts';
import { Table } from './table.ts';
import { useQuestion } from './use-question.ts';

interface HistoryPanelProps {
  readonly who: ConsoleWhoAmI;
  /** Of what is in the editor; empty for a policy that is not there yet. */
  readonly opened: string;
  readonly onApplied: (plan: ConsolePlan) => void;
  readonly onEnded: () => void;
}

/** What is looked at in the place of the list. */
type View =
  | { readonly kind: 'list' }
  | { readonly kind: 'kept' | 'back'; readonly revision: number }
  | { readonly kind: 'compare'; readonly from: number; readonly to: number };

/** Who changed what and why; what was kept, what differs, and the way back. */
export function HistoryPanel({ who, opened, onApplied, onEnded }: HistoryPanelProps): ComponentChild {
  const [isOfAll, setOfAll] = useState(opened === newPolicy);
  const [view, setView] = useState<View>({ kind: 'list' });
  const policy = isOfAll || opened === newPolicy ? undefined : opened;
  const top = useRef<HTMLDivElement>(null);
  const show = (next: View) => {
    setView(next);
    // What was pressed is gone.
    top.current?.focus();
  };
  const back = () => show({ kind: 'list' });
  return h(
    'div',
    { class: 'panel-body', ref: top, tabIndex: -1 },
    view.kind === 'list'
      ? [
          opened === newPolicy ? null : checkBox('Of all policies that are kept here', isOfAll, setOfAll),
          h(Revisions, { key: policy ?? '', policy, onView: show, onEnded }),
        ]
      : [
          h('div', {}, button('Back to the revisions', back)),
          view.kind === 'kept' ? h(Kept, { policy, revision: view.revision, onEnded }) : null,
          view.kind === 'compare' ? h(Comparison, { policy, from: view.from, to: view.to, onEnded }) : null,
          view.kind === 'back'
            ? h(RollBack, {
                who,
                policy,
                revision: view.revision,
                onApplied: (plan) => {
                  back();
                  onApplied(plan);
                },
                onEnded,
              })
            : null,
        ],
  );
}

interface RevisionsProps extends Pick<HistoryPanelProps, 'onEnded'> {
  readonly policy: string | undefined;
  readonly onView: (view: View) => void;
}

function Revisions({ policy, onView, onEnded }: RevisionsProps): ComponentChild {
  // Where the pages before this one began.
  const [pages, setPages] = useState<readonly string[]>(['']);
  const body: ConsoleHistoryQuestion = {
    ...(policy === undefined ? {} : { policy: keyOf(policy) }),
    pageToken: pages.at(-1) ?? '',
  };
  const question = useQuestion<ConsoleHistory>('history', body, onEnded);
  useEffect(question.ask, [question.ask]);
  return [
    answered({ ...question, isOld: false }, (found) => [
      found.revisions.length === 0
        ? h(
            'p',
            {},
            policy === undefined
              ? 'Nothing has been kept here yet.'
              : 'Nothing of it was ever kept here: where it stands, its history is too.',
          )
        : [
            h(Compare, { key: found.revisions[0]?.revision, found, onView }),
            h(Table, {
              label: 'Revisions',
              titles: ['Revision', 'When', 'Who', 'Why', 'Policies', 'What to do'],
              rows: found.revisions.map((each) => rowOf(each, found.revision, onView)),
            }),
          ],
      h(
        'div',
        { class: 'actions' },
        pages.length > 1 ? button('Newer', () => setPages(pages.slice(0, -1))) : null,
        found.nextPageToken === '' ? null : button('Older', () => setPages([...pages, found.nextPageToken])),
      ),
    ]),
    h(Command, { line: `citadel policy history${policy === undefined ? '' : ` ${quoted(policy)}`}` }),
  ];
}

function rowOf(
  { revision, at, by, reason, policies }: ConsoleRevision,
  present: number,
  onView: RevisionsProps['onView'],
): readonly ComponentChild[] {
  const named = (what: string) => ({ 'aria-label': `${what} revision ${revision}`, class: 'small' });
  return [
    revision === present ? `${revision} (now)` : String(revision),
    h('span', { class: 'time' }, instant(at)),
    by,
    reason === '' ? '–' : reason,
    h(
      'div',
      {},
      policies.map((each) =>
        h('div', { key: keyText(each) }, each.removed ? `${keyText(each)}, removed` : keyText(each)),
      ),
    ),
    h(
      'div',
      { class: 'actions' },
      button('Look', () => onView({ kind: 'kept', revision }), named('Look at')),
      button(
        'Changes',
        () => onView({ kind: 'compare', from: revision - 1, to: revision }),
        named('Changes of'),
      ),
      revision === present
        ? null
        : button('Roll back …', () => onView({ kind: 'back', revision }), named('Roll back to')),
    ),
  ];
}

function Compare({
  found,
  onView,
}: {
  readonly found: ConsoleHistory;
  readonly onView: RevisionsProps['onView'];
}): ComponentChild {
  const known = [...new Set([found.revision, ...found.revisions.map(({ revision }) => revision), 0])];
  const [from, setFrom] = useState(String(known[1] ?? 0));
  const [to, setTo] = useState(String(known[0] ?? 0));
  const choice = (id: string, value: string, onChosen: (value: string) => void) =>
    h(
      'select',
      { id, value, onChange: typedText(onChosen) },
      known.map((each) => h('option', { key: each, value: String(each) }, nameOf(each, found.revision))),
    );
  return h(
    'form',
    {
      class: 'apply',
      onSubmit: submitting(() => onView({ kind: 'compare', from: Number(from), to: Number(to) })),
    },
    h('label', { for: 'from-revision' }, 'What changed from'),
    choice('from-revision', from, setFrom),
    h('label', { for: 'to-revision' }, 'to'),
    choice('to-revision', to, setTo),
    submitButton('Compare', true),
  );
}

function nameOf(revision: number, present: number): string {
  if (revision === present) return `${revision} (now)`;
  return revision === 0 ? '0 (before the first)' : String(revision);
}
