import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ConsoleDiff, ConsoleDifference, ConsolePolicyKey } from '../wire/console.ts';
import { CallError, describe, post } from './call.ts';
import { count } from './elements.ts';

interface SemanticDiffProps {
  readonly text: string;
  readonly remove: readonly ConsolePolicyKey[];
  /** The revision that it is compared with. */
  readonly revision: number;
}

/** Which requests would be decided otherwise, of all that there can be. */
export function SemanticDiff({ text, remove, revision }: SemanticDiffProps): ComponentChild {
  const [found, setFound] = useState<ConsoleDiff | string>();
  useEffect(() => {
    const abort = new AbortController();
    setFound(undefined);
    post<ConsoleDiff>('diff', { text, remove }, abort.signal).then(setFound, (error: unknown) => {
      const replaced = error instanceof CallError && error.code === 'Cancelled';
      if (!abort.signal.aborted && !replaced) setFound(describe(error));
    });
    return () => abort.abort();
  }, [text, remove, revision]);
  return h(
    'section',
    { class: 'semantic', 'aria-live': 'polite', 'aria-busy': found === undefined ? 'true' : 'false' },
    h('h3', {}, 'What it does'),
    found === undefined
      ? h('p', { class: 'faint' }, 'Comparing what is decided of all requests there can be …')
      : typeof found === 'string'
        ? h('p', { class: 'odd' }, `It cannot be said: ${found}`)
        : h(Found, { found }),
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
