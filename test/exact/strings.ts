/**
 * Whether a value that is there is matched by a list's string, written a second time and in another way than what is
 * checked here: by slices, without any automaton.
 */
export function matchesText(pattern: string, value: string): boolean {
  if (pattern === '*') return value.length > 0;
  if (pattern[0] === '*')
    return value.slice(Math.max(0, value.length - pattern.length + 1)) === pattern.slice(1);
  const last = pattern.length - 1;
  if (pattern[last] === '*') return value.slice(0, last) === pattern.slice(0, last);
  return value === pattern;
}

/** A path's string, which may be a template: segments that are open, tried one after the other. */
export function matchesPath(pattern: string, path: string): boolean {
  return isTemplate(pattern) ? matchesParts(pattern.split(/(\{\*\*?\})/), path) : matchesText(pattern, path);
}

function isTemplate(pattern: string): boolean {
  return pattern.includes('{*}') || pattern.includes('{**}');
}

function matchesParts(parts: readonly string[], rest: string): boolean {
  const [part, ...more] = parts;
  if (part === undefined) return rest === '';
  if (part !== '{*}' && part !== '{**}')
    return rest.startsWith(part) && matchesParts(more, rest.slice(part.length));
  const least = part === '{*}' ? 1 : 0;
  for (let length = least; length <= rest.length; length += 1) {
    if (part === '{*}' && rest[length - 1] === '/') return false;
    if (matchesParts(more, rest.slice(length))) return true;
  }
  return false;
}

/** Strings that a pattern matches or nearly matches, and what it has in common with others of the same attribute. */
export function samplesOf(patterns: readonly string[], filler = 'x'): readonly string[] {
  const found = new Set<string>([filler, '']);
  for (const pattern of patterns) for (const sample of aroundOne(pattern, filler)) found.add(sample);
  for (const start of patterns.filter((each) => each.endsWith('*') && each !== '*' && !each.startsWith('*')))
    for (const end of patterns.filter((each) => each.startsWith('*') && each !== '*'))
      for (const sample of joined(start.slice(0, -1), end.slice(1), filler)) found.add(sample);
  return [...found];
}

function aroundOne(pattern: string, filler: string): readonly string[] {
  if (isTemplate(pattern)) return aroundTemplate(pattern, filler);
  if (pattern === '*') return [filler];
  const text = pattern.startsWith('*')
    ? pattern.slice(1)
    : pattern.endsWith('*')
      ? pattern.slice(0, -1)
      : pattern;
  return [text, text + filler, filler + text, text.slice(0, -1), text.slice(1), swapCase(text), pattern];
}

function aroundTemplate(template: string, filler: string): readonly string[] {
  const fillings = [filler, '', `${filler}/${filler}`, 'admin'];
  return fillings.flatMap((one) =>
    fillings.map((many) => template.replaceAll('{*}', one).replaceAll('{**}', many)),
  );
}

/** Both behind one another, and laid over one another as far as they agree. */
function joined(start: string, end: string, filler: string): readonly string[] {
  const overlaps: string[] = [];
  for (let common = 1; common <= Math.min(start.length, end.length); common += 1)
    if (start.endsWith(end.slice(0, common))) overlaps.push(start + end.slice(common));
  return [start + end, `${start}${filler}${end}`, ...overlaps];
}

function swapCase(text: string): string {
  return text
    .split('')
    .map((letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()))
    .join('');
}
