import { SpiffeError } from './errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * JSON.parse that refuses duplicate members (SPIFFE Trust Domain and Bundle 6.3) and deep nesting, and gives integers
 * beyond 2^53 as bigint (4.1.1 asks for 64 bits).
 */
export function parseJson(text: string, maxDepth: number): unknown {
  checkStructure(text, maxDepth);
  try {
    // The third argument, with the source text, is in Node 24 but not yet in TypeScript's library.
    const parsed: unknown = JSON.parse(text, (_key, value: unknown, ...rest: unknown[]) =>
      exact(value, rest[0]),
    );
    return parsed;
  } catch (cause) {
    throw malformed(cause);
  }
}

function exact(value: unknown, context: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source =
    typeof context === 'object' && context !== null && 'source' in context ? context.source : undefined;
  return typeof source === 'string' && /^-?\d{1,20}$/.test(source) ? BigInt(source) : value;
}

/** Walks the brackets and member names in one pass; whether the rest is JSON is left to JSON.parse. */
function checkStructure(text: string, maxDepth: number): void {
  const open: (Set<string> | undefined)[] = [];
  let latest = '';
  for (let i = 0; i < text.length; i++) {
    switch (text.charAt(i)) {
      case '"': {
        const end = stringEnd(text, i);
        latest = text.slice(i, end + 1);
        i = end;
        break;
      }
      case ':':
        addMember(open.at(-1), latest);
        break;
      case '{':
      case '[':
        if (open.length === maxDepth) throw new SpiffeError('bundle-json', 'the document is nested too deep');
        open.push(text[i] === '{' ? new Set() : undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      default:
    }
  }
}

/** Where the string that begins at `start` has its closing quote. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  throw malformed();
}

function addMember(names: Set<string> | undefined, quoted: string): void {
  const name = unquote(quoted);
  if (names === undefined) throw malformed();
  if (names.has(name)) throw new SpiffeError('bundle-duplicate-member', 'the document has a member twice');
  names.add(name);
}

/** Escapes undone: two spellings of one name are one member. */
function unquote(quoted: string): string {
  try {
    const name: unknown = JSON.parse(quoted);
    return String(name);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): SpiffeError {
  return new SpiffeError('bundle-json', 'the document is not valid JSON', { cause });
}
