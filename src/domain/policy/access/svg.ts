import type { AccessGraph } from './graph.ts';

const size = { font: 13, letter: 7.6, line: 17, pad: 10, gap: 14, margin: 16 };

interface Box {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The graph as a picture: callers on the left, callees on the right, in between what each may ask for. */
export function graphAsSvg(graph: AccessGraph): string {
  const left = column(graph.callers, size.margin, () => 1);
  const labels = graph.edges.map(({ labels: own }) => own);
  const middle = Math.max(80, ...labels.flat().map(widthOf)) + 4 * size.pad;
  const right = column(graph.callees, size.margin + widest(left) + middle, (name) =>
    Math.max(1, linesTo(graph, name)),
  );
  const [from, to] = [byText(left), byText(right)];
  const edges = edgesOf(graph, from, to, size.margin + widest(left) + middle / 2);
  const height = Math.max(...[...left, ...right].map(({ y, height: own }) => y + own), 0) + size.margin;
  const width = size.margin * 2 + widest(left) + middle + widest(right);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, monospace" font-size="${size.font}">\n`,
    '<title>Who may reach what</title>\n',
    ...edges,
    ...left.map((box) => boxAsSvg(box, box.height / 2)),
    ...right.map((box) => boxAsSvg(box, 3)),
    '</svg>\n',
  ].join('');
}

/** How many lines of words come in from the left. */
function linesTo({ edges }: AccessGraph, callee: string): number {
  return edges
    .filter((edge) => edge.callee === callee)
    .reduce((sum, { labels }) => sum + labels.length + 1, 0);
}

function column(texts: readonly string[], x: number, lines: (text: string) => number): readonly Box[] {
  const width = Math.max(0, ...texts.map(widthOf)) + 2 * size.pad;
  const boxes: Box[] = [];
  let y = size.margin;
  for (const text of texts) {
    const height = lines(text) * size.line + 2 * size.pad;
    boxes.push({ text, x, y, width, height });
    y += height + size.gap;
  }
  return boxes;
}

function widthOf(text: string): number {
  return Math.ceil(text.length * size.letter);
}

function widest(boxes: readonly Box[]): number {
  return Math.max(0, ...boxes.map(({ width }) => width));
}

function byText(boxes: readonly Box[]): ReadonlyMap<string, Box> {
  return new Map(boxes.map((box) => [box.text, box]));
}

/** Each callee's lines come in one below the other, with their words in the middle. */
function edgesOf(
  { edges }: AccessGraph,
  from: ReadonlyMap<string, Box>,
  to: ReadonlyMap<string, Box>,
  middle: number,
): readonly string[] {
  const used = new Map<string, number>();
  return edges.flatMap(({ caller, callee, labels }) => {
    const [start, end] = [from.get(caller), to.get(callee)];
    if (!start || !end) return [];
    const before = used.get(callee) ?? 0;
    used.set(callee, before + labels.length + 1);
    const y = end.y + size.pad + before * size.line + (labels.length * size.line) / 2;
    const [x1, y1] = [start.x + start.width, start.y + start.height / 2];
    const bend = (end.x - x1) / 4;
    const words = labels.map((label, at) => {
      const top = y + (at - labels.length / 2) * size.line;
      const width = widthOf(label) + size.letter;
      // Between its words, too, the line is not to be seen.
      return (
        `<rect x="${middle - width / 2}" y="${top}" width="${width}" height="${size.line}" fill="#fff"/>\n` +
        `<text x="${middle}" y="${top + size.font}" text-anchor="middle" fill="#222">${escaped(label)}</text>\n`
      );
    });
    return [
      `<path d="M ${x1} ${y1} C ${x1 + bend} ${y1}, ${x1 + bend} ${y}, ${x1 + 2 * bend} ${y} L ${end.x - 6} ${y}" fill="none" stroke="#667"/>\n`,
      `<path d="M ${end.x - 7} ${y - 4} L ${end.x} ${y} L ${end.x - 7} ${y + 4} z" fill="#667"/>\n`,
      ...words,
    ];
  });
}

function boxAsSvg({ text, x, y, width, height }: Box, round: number): string {
  return (
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${Math.min(round, 18)}" fill="#eef2f7" stroke="#334"/>\n` +
    `<text x="${x + size.pad}" y="${y + height / 2 + size.font / 3}" fill="#111">${escaped(text)}</text>\n`
  );
}

/** What an author wrote must stay text: nothing of it is an element of the picture. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
    .replaceAll(/[^\t\n\u0020-\ud7ff\ue000-\ufffd]/g, '?');
}
