import { type ComponentChild, h } from 'preact';
import type { ConsoleAccess } from '../wire/console.ts';

type Graph = Pick<ConsoleAccess, 'callers' | 'callees' | 'edges'>;

const width = 900;
const box = { width: 330, height: 30 };
const step = 48;
const top = 20;
/** More are not drawn: nobody could read them, and the table has them all. */
const mostDrawn = 40;
const longestText = 44;

/** Callers on the left, callees on the right, a line for each way in. The table beside it says the same in words. */
export function AccessGraph({ callers, callees, edges }: Graph): ComponentChild {
  const left = callers.slice(0, mostDrawn);
  const right = callees.slice(0, mostDrawn);
  const rows = Math.max(left.length, right.length, 1);
  const height = rows * step + top;
  const middle = (names: readonly string[], name: string) => {
    const space = (rows - names.length) / 2;
    return top + (names.indexOf(name) + space) * step + box.height / 2;
  };
  const drawn = edges.filter(({ caller, callee }) => left.includes(caller) && right.includes(callee));
  return h(
    'figure',
    { class: 'graph' },
    h(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': `${edges.length} ways in, told in the table`,
      },
      drawn.map((edge) => {
        const from = middle(left, edge.caller);
        const to = middle(right, edge.callee);
        const bend = `${box.width},${from} C${width / 2},${from} ${width / 2},${to} ${width - box.width},${to}`;
        return h(
          'path',
          { key: `${edge.caller} ${edge.callee}`, d: `M${bend}` },
          h('title', {}, edge.labels.join('\n')),
        );
      }),
      left.map((name) => h(Box, { key: name, name, x: 0, y: middle(left, name) })),
      right.map((name) => h(Box, { key: name, name, x: width - box.width, y: middle(right, name) })),
    ),
    callers.length > mostDrawn
      ? h(
          'figcaption',
          { class: 'faint' },
          `${callers.length - mostDrawn} more callers are in the table alone.`,
        )
      : null,
  );
}

function Box({
  name,
  x,
  y,
}: {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}): ComponentChild {
  const shown = name.length > longestText ? `…${name.slice(1 - longestText)}` : name;
  return h(
    'g',
    {},
    h('title', {}, name),
    h('rect', { x: x + 1, y: y - box.height / 2, width: box.width - 2, height: box.height, rx: 6 }),
    h('text', { x: x + box.width / 2, y: y + 4, 'text-anchor': 'middle' }, shown),
  );
}
