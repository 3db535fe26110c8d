import type { Domain, Group } from './domain.ts';

/**
 * Canonical paths, each with a query or without one: exactly what normalizePath gives and what it leaves as it is, so that
 * each of these strings can be sent, and arrives as itself. Without a query: it begins with a slash; no segment is `.` or
 * `..`, none but the last is empty, save in `//`, which stays; letters, digits and `-._~` are not escaped, `/`, `\` and NUL
 * neither; `"<>^`{|}`, `\`, `#` and blanks are not there. A `%` that begins no escape stays.
 *
 * A path with `;` in it comes in other forms too; wherever paths are compared it is refused, so that no more is asked of it.
 */
const lower = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const plain = "-_~!$&'()*+,:=@[];";
const everything = Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at)).join('');
const opaque = Array.from({ length: 128 }, (_, at) => String.fromCharCode(0x80 + at)).join('');

const inSegment = `${lower}${digits}${lower.toUpperCase()}${plain}`;
const inQuery = Array.from(`${lower}${digits}${everything}${opaque}`)
  .filter((each, at, all) => each !== '#' && each !== '/' && each !== '?' && all.indexOf(each) === at)
  .join('');

const isInSegment = new Set(Array.from(inSegment, (each) => each.charCodeAt(0)));
const isInQuery = new Set(Array.from(`${inQuery}/?`, (each) => each.charCodeAt(0)));

const states = { start: 0, root: 1, slash: 2, dot: 3, dots: 4, segment: 5, percent: 6, query: 7, only: 8 };
/** Behind `%` and a first hexadecimal digit; its value is added. */
const escape = 16;

const slashGroup: Group = { preferred: '/' };
const queryGroup: Group = { preferred: '?' };
const segmentGroups: readonly Group[] = [
  { preferred: inSegment },
  { preferred: '.' },
  { preferred: '%' },
  slashGroup,
  queryGroup,
];
/** After a percent sign each hexadecimal digit is its own. */
const hexGroups: readonly Group[] = [
  ...Array.from('0123456789').map((preferred) => ({ preferred })),
  ...Array.from('ABCDEF', (each) => ({ preferred: `${each}${each.toLowerCase()}` })),
  { preferred: Array.from(inSegment.replace(/[0-9A-Fa-f]/g, '')).join('') },
  { preferred: '.' },
  { preferred: '%' },
  slashGroup,
  queryGroup,
];
const queryGroups: readonly Group[] = [{ preferred: inQuery }, slashGroup, queryGroup];

function hexValue(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}

/** Of the first digits with which the same second ones make an escape that stays, one. */
function alike(digit: number): number {
  if (digit === 6) return 4;
  return digit > 7 ? 1 : digit;
}

/** Whether a character stays escaped, or cannot be there at all. */
function staysEscaped(code: number): boolean {
  return code !== 0 && code !== 0x2f && code !== 0x5c && !/[A-Za-z0-9._~-]/.test(String.fromCharCode(code));
}

function inPath(state: number, code: number): number | undefined {
  if (code === 0x3f) return state === states.dot || state === states.dots ? undefined : states.query;
  if (code === 0x2f) {
    if (state === states.root) return states.only;
    return state === states.segment ? states.slash : undefined;
  }
  if (state === states.only) return undefined;
  if (code === 0x2e) {
    if (state === states.slash || state === states.root) return states.dot;
    return state === states.dot ? states.dots : states.segment;
  }
  if (code === 0x25) return states.percent;
  return isInSegment.has(code) ? states.segment : undefined;
}

export const canonicalPaths: Domain = {
  isOfPaths: true,
  start: states.start,
  groups: (state) => {
    if (state === states.start) return [slashGroup];
    if (state === states.query) return queryGroups;
    return state === states.percent || state >= escape ? hexGroups : segmentGroups;
  },
  step: (state, code) => {
    if (state === states.start) return code === 0x2f ? states.root : undefined;
    if (state === states.query) return isInQuery.has(code) ? states.query : undefined;
    const digit = hexValue(code);
    if (state === states.percent && digit !== undefined) return escape + alike(digit);
    if (state >= escape && digit !== undefined)
      return staysEscaped((state - escape) * 16 + digit) ? states.segment : undefined;
    // Behind a percent sign that begins no escape, the segment goes on.
    return inPath(state === states.percent || state >= escape ? states.segment : state, code);
  },
  accepts: (state) => state !== states.start && state !== states.dot && state !== states.dots,
};
