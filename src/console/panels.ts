import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type {
  ConsoleChange,
  ConsolePlan,
  ConsolePolicyHead,
  ConsoleProblem,
  ConsoleSpan,
  ConsoleWhoAmI,
  ConsoleWorld,
} from '../wire/console.ts';
import { AccessPanel } from './access-panel.ts';
import { Assumed } from './assumed.ts';
import { ChangePanel } from './change-panel.ts';
import { Command, quoted } from './command.ts';
import type { Opened } from './document.ts';
import { count } from './elements.ts';
import { ExplainPanel, nothingSaid } from './explain-panel.ts';
import { HistoryPanel } from './history-panel.ts';
import { ProblemList } from './problem-list.ts';
import { ReplayPanel } from './replay-panel.ts';
import { ShadowPanel } from './shadow-panel.ts';
import { Tabs } from './tabs.ts';
import type { Planned } from './use-plan.ts';

interface PanelsProps {
  readonly who: ConsoleWhoAmI;
  readonly opened: Opened;
  readonly head: ConsolePolicyHead | undefined;
  readonly change: ConsoleChange;
  readonly planned: Planned;
  readonly world: ConsoleWorld | undefined;
  readonly tab: string;
  readonly onTab: (tab: string) => void;
  readonly onGoTo: (line: number, column: number) => void;
  /** What is in the editor has been applied. */
  readonly onApplied: (plan: ConsolePlan) => void;
  /** Something else has. */
  readonly onRolledBack: (plan: ConsolePlan) => void;
  /** Called with what has been done otherwise, for people. */
  readonly onDone: (what: string) => void;
  readonly onEnded: () => void;
}

const none: readonly ConsoleProblem[] = [];
/** Those that answer questions under what is in the editor. */
const judging: ReadonlySet<string> = new Set(['replay', 'explain', 'who', 'what']);

/** What can be asked about what is in the editor. What was typed into a panel is there when its tab is chosen again. */
export function Panels(props: PanelsProps): ComponentChild {
  const { opened, planned, tab, onTab } = props;
  const { problems = none, warnings = none } = planned.last ?? {};
  const tabs = [
    {
      id: 'problems',
      title: 'Problems',
      count: problems.length + warnings.length,
      urgent: problems.length > 0,
    },
    { id: 'change', title: 'Change' },
    { id: 'replay', title: 'Replay' },
    { id: 'explain', title: 'Explain' },
    { id: 'who', title: 'Callers' },
    { id: 'what', title: 'Reach' },
    { id: 'shadow', title: 'Shadow' },
    { id: 'history', title: 'History' },
    { id: 'status', title: 'Status' },
  ];
  return h(
    Tabs,
    { label: 'About this policy', tabs, selected: tab, onSelect: onTab, children: [] },
    judging.has(tab) || (opened.removing && tab === 'problems') ? h(Assumed, { opened }) : null,
    h(Panel, props),
  );
}

function Panel(props: PanelsProps): ComponentChild {
  const {
    who,
    opened,
    head,
    change,
    planned,
    world,
    tab,
    onTab,
    onGoTo,
    onApplied,
    onRolledBack,
    onDone,
    onEnded,
  } = props;
  const [reason, onReason] = useState('');
  const [said, onSaid] = useState(nothingSaid);
  const [called, onCalled] = useState('');
  const [caller, onCaller] = useState('');
  const [span, onSpan] = useState<ConsoleSpan>('24h');
  // A reason is one for the change of one policy.
  useEffect(() => onReason(''), [opened.key]);
  switch (tab) {
    case 'change':
      return h(ChangePanel, {
        who,
        change,
        planned,
        reason,
        onReason,
        verb: opened.removing ? 'Remove' : 'Apply',
        command: (why) =>
          `citadel policy ${opened.removing ? `remove ${quoted(opened.key)}` : 'apply policy.yaml'} --reason ${quoted(why)}`,
        ...(opened.removing
          ? {}
          : {
              trial: {
                command: (why: string) => `citadel policy apply policy.yaml --shadow --reason ${quoted(why)}`,
                onBegun: () => {
                  onDone('A candidate is tried beside what holds.');
                  onTab('shadow');
                },
              },
            }),
        onApplied,
        onEnded,
      });
    case 'replay':
      return h(ReplayPanel, { change, span, onSpan, onEnded });
    case 'explain':
      return h(ExplainPanel, { change, world, said, onSaid, onEnded });
    case 'who':
      return h(AccessPanel, { key: tab, asks: tab, change, world, name: called, onName: onCalled, onEnded });
    case 'what':
      return h(AccessPanel, { key: tab, asks: tab, change, world, name: caller, onName: onCaller, onEnded });
    case 'shadow':
      return h(ShadowPanel, { who, onDone, onEnded });
    case 'history':
      return h(HistoryPanel, { key: opened.key, who, opened: opened.key, onApplied: onRolledBack, onEnded });
    case 'status':
      return h(Status, { head });
    default:
      return h(ProblemList, {
        planned,
        removing: opened.removing,
        onGoTo,
        command: opened.removing
          ? `citadel policy remove ${quoted(opened.key)}`
          : 'citadel policy check policy.yaml --against live',
      });
  }
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
    h(Command, { line: `citadel policy status${head ? ` --namespace ${quoted(head.namespace)}` : ''}` }),
  );
}
