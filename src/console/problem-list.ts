import { type ComponentChild, h } from 'preact';
import type { ConsoleProblem } from '../wire/console.ts';
import { Command } from './command.ts';
import { button, failure } from './elements.ts';
import type { Planned } from './use-plan.ts';

interface ProblemListProps {
  readonly planned: Pick<Planned, 'last' | 'problem' | 'renew'>;
  readonly onGoTo: (line: number, column: number) => void;
  /** Whether it is of a removal, and not of the text. */
  readonly removing: boolean;
  readonly command: string;
}

/** What is wrong with the text, and what is surely not meant; each leads to its place. */
export function ProblemList(props: ProblemListProps): ComponentChild {
  const { planned, onGoTo, removing, command } = props;
  const { problems = [], warnings = [], effects = [] } = planned.last ?? {};
  const isFine = effects.length > 0;
  const fine = isFine
    ? `Nothing is wrong with ${removing ? 'taking it away' : 'this text'}.`
    : 'There is no policy in this text.';
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
    planned.problem === ''
      ? null
      : [
          failure(`This text was not looked at: ${planned.problem}.`),
          h('div', { class: 'actions' }, button('Ask again', planned.renew)),
        ],
    problems.length + warnings.length === 0
      ? planned.problem === ''
        ? h('p', { class: isFine ? 'good' : 'faint' }, planned.last ? fine : 'Looking …')
        : null
      : h('ul', { class: 'problems' }, problems.map(entry('problem')), warnings.map(entry('warning'))),
    h(Command, { line: command }),
  );
}
