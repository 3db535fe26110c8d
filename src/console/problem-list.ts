import { type ComponentChild, h } from 'preact';
import type { ConsoleProblem } from '../wire/console.ts';
import { Command } from './command.ts';

interface ProblemListProps {
  /** Whether the server has looked at a text yet. */
  readonly known: boolean;
  readonly problems: readonly ConsoleProblem[];
  readonly warnings: readonly ConsoleProblem[];
  readonly onGoTo: (line: number, column: number) => void;
  /** Whether it is of a removal, and not of the text. */
  readonly removing: boolean;
  readonly command: string;
}

/** What is wrong with the text, and what is surely not meant; each leads to its place. */
export function ProblemList(props: ProblemListProps): ComponentChild {
  const { known, problems, warnings, onGoTo, removing, command } = props;
  const fine = `Nothing is wrong with ${removing ? 'taking it away' : 'this text'}.`;
  const entry = (kind: 'problem' | 'warning') => (problem: ConsoleProblem) => {
    const { line, column, path, message, mend } = problem;
    const text = [
      h('span', { class: `mark ${kind}` }, kind === 'problem' ? 'Problem' : 'Warning'),
      h('span', { class: 'place' }, line > 0 ? `${line}:${column}` : ''),
      h(
        'span',
        { class: 'words' },
        path === '' ? null : h('code', {}, path),
        ` ${message}`,
        mend === '' ? null : h('em', {}, ` ${mend}`),
      ),
    ];
    return h(
      'li',
      { key: `${kind} ${line}:${column} ${path} ${message}` },
      line > 0
        ? h('button', { type: 'button', class: 'problem-entry', onClick: () => onGoTo(line, column) }, text)
        : h('div', { class: 'problem-entry' }, text),
    );
  };
  return h(
    'div',
    { class: 'panel-body' },
    problems.length + warnings.length === 0
      ? h('p', { class: known ? 'good' : 'faint' }, known ? fine : 'Looking …')
      : h('ul', { class: 'problems' }, problems.map(entry('problem')), warnings.map(entry('warning'))),
    h(Command, { line: command }),
  );
}
