import { escapeExpression, expressionBudget, segment } from './strings.ts';

/**
 * Expressions that together, all of them, match what a template matches. Envoy's own templates know too few characters:
 * a `=` in a segment would walk around a DENY. Each expression spells some of the segments and leaves the others open, so
 * that none is longer than Envoy takes; as no segment can hold a slash, all speak of the same segments.
 */
export function templateExpressions(template: string): readonly string[] {
  const parts = template.split('/').map(expressionOf);
  const open = parts.map(({ isOpen, source }) => (isOpen ? source : segment));
  const cost = (source: string) => (source.includes(segment) ? 5 : source.length + 1);
  const frame = open.reduce((sum, source) => sum + cost(source), 0);
  const spelled: Set<number>[] = [];
  let current = new Set<number>();
  let used = frame;
  for (const [index, { isOpen, source }] of parts.entries()) {
    if (isOpen) continue;
    if (current.size > 0 && used + source.length > expressionBudget) {
      spelled.push(current);
      current = new Set();
      used = frame;
    }
    current.add(index);
    used += source.length;
  }
  spelled.push(current);
  return spelled.map((some) =>
    parts
      .map(({ source }, index) => (some.has(index) || source === '' ? source : (open[index] ?? '')))
      .join('/'),
  );
}

interface Part {
  readonly source: string;
  /** Nothing in it has to be spelled. */
  readonly isOpen: boolean;
}

function expressionOf(part: string): Part {
  if (part === '{*}') return { source: segment, isOpen: true };
  // It may hold slashes: what is behind it is counted from the end.
  if (part.includes('{**}')) return { source: spell(part), isOpen: true };
  return { source: spell(part), isOpen: part === '' };
}

function spell(part: string): string {
  return part
    .split(/(\{\*\*?\})/)
    .map((piece) => (piece === '{*}' ? segment : piece === '{**}' ? '.*' : escapeExpression(piece)))
    .join('');
}
