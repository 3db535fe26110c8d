import { type ComponentChild, h } from 'preact';
import { failure } from './elements.ts';
import type { Question } from './use-question.ts';

/** The answer to a question, told aloud when it comes; or why there is none. */
export function answered<T>(
  { answer, isOld, problem, isAsked }: Question<T>,
  show: (answer: T) => ComponentChild,
): ComponentChild {
  return [
    problem === '' ? null : failure(problem),
    h(
      'div',
      { class: 'answer', 'aria-live': 'polite', 'aria-busy': isAsked ? 'true' : 'false' },
      isAsked ? h('p', { class: 'faint' }, 'Working it out …') : null,
      isOld && !isAsked
        ? h('p', { class: 'odd' }, 'The text or the question has changed since: ask again.')
        : null,
      answer === undefined ? null : show(answer),
    ),
  ];
}
