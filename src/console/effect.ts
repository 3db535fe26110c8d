import { type ComponentChild, h } from 'preact';
import type { ConsoleEffect } from '../wire/console.ts';
import { failure, keyText } from './elements.ts';
import { diffLines } from './line-diff.ts';

const verbs: Readonly<Record<ConsoleEffect['effect'], string>> = {
  create: 'creates',
  update: 'changes',
  unchanged: 'leaves',
  remove: 'removes',
};

/** What becomes of one policy, line by line. */
export function Effect({ effect }: { readonly effect: ConsoleEffect }): ComponentChild {
  const { shadowedBy, before, after } = effect;
  const lines = before === after ? [] : diffLines(before, after);
  return h(
    'section',
    { class: 'effect' },
    h('h3', {}, h('span', { class: `badge ${effect.effect}` }, verbs[effect.effect]), ` ${keyText(effect)}`),
    shadowedBy === ''
      ? null
      : failure(
          `Without effect: the one of this name in ${shadowedBy} counts. Change it there, or give this one another name.`,
        ),
    lines.length === 0
      ? h('p', { class: 'faint' }, 'It says the same as what holds.')
      : h(
          'pre',
          {
            class: 'diff',
            tabIndex: 0,
            role: 'group',
            'aria-label': `Lines of ${keyText(effect)} that change`,
          },
          lines.map(({ kind, text }, index) =>
            kind === 'skipped'
              ? h('span', { key: index, class: 'skipped' }, '⋯\n')
              : h(
                  kind === 'added' ? 'ins' : kind === 'removed' ? 'del' : 'span',
                  { key: index },
                  `${kind === 'added' ? '+' : kind === 'removed' ? '−' : ' '} ${text}\n`,
                ),
          ),
        ),
  );
}
