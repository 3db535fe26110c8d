import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { failure } from './elements.ts';
import type { Question } from './use-question.ts';

/**
 * The answer to a question, told aloud when it comes; or why there is none.
 * @param reveals whether it comes into view too: where the question is asked by a button, which may stand at the panel's end
 */
export function answered<T>(
  { answer, isOld, problem, isAsked }: Question<T>,
  show: (answer: T) => ComponentChild,
  reveals = false,
): ComponentChild {
  return h(
    Revealing,
    { of: reveals && !isAsked ? (answer ?? problem) : '', children: [] },
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
  );
}

/** Scrolls to itself whenever `of` becomes another; nothing and empty are none. */
function Revealing({
  of,
  children,
}: {
  readonly of: unknown;
  readonly children: ComponentChildren;
}): ComponentChild {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (of !== '') place.current?.scrollIntoView({ block: 'nearest' });
  }, [of]);
  return h('div', { class: 'answer', ref: place }, children);
}
