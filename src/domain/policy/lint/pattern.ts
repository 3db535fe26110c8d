interface Pattern {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'any';
  readonly text: string;
}

function parsePattern(value: string): Pattern {
  if (value === '*') return { kind: 'any', text: '' };
  if (value.startsWith('*')) return { kind: 'suffix', text: value.slice(1) };
  if (value.endsWith('*')) return { kind: 'prefix', text: value.slice(0, -1) };
  return { kind: 'exact', text: value };
}

/** Whether whatever `b` matches, `a` matches too. */
export function patternCovers(a: string, b: string): boolean {
  const [outer, inner] = [parsePattern(a), parsePattern(b)];
  switch (outer.kind) {
    case 'any':
      return true;
    case 'exact':
      return inner.kind === 'exact' && inner.text === outer.text;
    case 'prefix':
      return (inner.kind === 'exact' || inner.kind === 'prefix') && inner.text.startsWith(outer.text);
    case 'suffix':
      return (inner.kind === 'exact' || inner.kind === 'suffix') && inner.text.endsWith(outer.text);
  }
}
