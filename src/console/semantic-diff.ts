import { type ComponentChild, h } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ConsoleChange, ConsoleDiff, ConsoleDifference } from '../wire/console.ts';
import { button, count } from './elements.ts';
import { type Question, useQuestion } from './use-question.ts';

interface SemanticDiffProps {
  readonly change: ConsoleChange;
  /** The revision that it is compared with. */
  readonly revision: number;
  readonly onEnded: () => void;
}

/** Which requests would be decided otherwise if a change were applied, of all that there can be. */
export function SemanticDiff({ change, revision, onEnded }: SemanticDiffProps): ComponentChild {
  const question = useQuestion<ConsoleDiff>('diff', change, onEnded);
  useEffect(question.ask, [question.ask, revision]);
  return h(WhatItDoes, { question });
}

export function WhatItDoes({ question }: { readonly question: Question<ConsoleDiff> }): ComponentChild {
  const { answer, isOld, problem, isAsked, ask } = question;
  const found = isOld ? undefined : answer;
  return h(
    'section',
    { class: 'semantic', 'aria-live': 'polite', 'aria-busy': isAsked ? 'true' : 'false' },
    h('h3', {}, 'What it does'),
    isAsked ? h('p', { class: 'faint' }, 'Comparing what is decided of all requests there can be …') : null,
    problem === ''
      ? null
      : h(
          'p',
          { class: 'odd' },
          `It cannot be said: ${problem} `,
          button('Ask again', ask, { class: 'quiet' }),
        ),
    found && !isAsked ? h(Found, { found }) : null,
  );
}

function Found({ found }: { readonly found: ConsoleDiff }): ComponentChild {
  const { outcome, complete, differences, undecided } = found;
  return [
    outcome === 'same'
      ? h(
          'p',
          { class: 'good' },
          'Every request is decided as before: that is proven for all that can arrive.',
        )
      : h(
          'p',
          {},
          `${count(differences.length, 'kind of request is', 'kinds of requests are')} decided otherwise`,
          complete ? '.' : ', and there may be more.',
        ),
    differences.length > 0
      ? h(
          'ul',
          { class: 'differences' },
          differences.map((difference, index) => h(Difference, { key: index, difference })),
        )
      : null,
    undecided.length > 0
      ? h(
          'details',
          { class: 'odd' },
          h('summary', {}, `Nothing can be said of ${count(undecided.length, 'part', 'parts')}`),
          h(
            'ul',
            {},
            undecided.map((reason) => h('li', { key: reason }, reason)),
          ),
        )
      : null,
  ];
}

function Difference({ difference }: { readonly difference: ConsoleDifference }): ComponentChild {
  const { becomes, places, where, witness, before, after } = difference;
  return h(
    'li',
    {},
    h('p', {}, h('span', { class: `badge ${becomes}` }, `becomes ${becomes}`), ` at ${places}`),
    h('p', {}, where),
    h('p', { class: 'witness' }, h('span', { class: 'faint' }, 'for example '), h('code', {}, witness)),
    h('p', { class: 'faint' }, `${before}; then ${after}`),
  );
}
