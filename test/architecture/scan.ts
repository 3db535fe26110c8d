/** One mention of another module in a source file. */
export interface ModuleReference {
  /** Undefined for a dynamic import whose name is computed. */
  readonly specifier: string | undefined;
  /** From 1. */
  readonly line: number;
}

interface Token {
  readonly kind: 'word' | 'string' | 'mark';
  readonly text: string;
  readonly line: number;
}

/**
 * Finds every module that a TypeScript source names: `import … from`, `import 'x'`, `export … from`, `import('x')` as an
 * expression or a type, and `require('x')`. It reads tokens, so comments, strings and line breaks do not deceive it, and
 * throws where it cannot tell how to read on rather than overlook an import.
 */
export function moduleReferences(source: string): ModuleReference[] {
  const tokens = tokenize(source);
  const references: ModuleReference[] = [];
  tokens.forEach((token, index) => {
    if (token.kind !== 'word' || tokens[index - 1]?.text === '.') return;
    const reference = referenceAt(tokens, index);
    if (reference !== undefined) references.push({ specifier: reference.specifier, line: token.line });
  });
  return references;
}

type Found = Pick<ModuleReference, 'specifier'> | undefined;

function referenceAt(tokens: readonly Token[], index: number): Found {
  const next = tokens[index + 1];
  const word = tokens[index]?.text ?? '';
  switch (word) {
    case 'import':
      if (next?.kind === 'string') return { specifier: next.text };
      if (next?.text === '(') return call(tokens, index);
      if (next === undefined || (next.kind === 'mark' && next.text !== '{' && next.text !== '*'))
        return undefined;
      return from(tokens, index + 1);
    case 'require':
      return next?.text === '(' && tokens[index + 2]?.kind === 'string' ? call(tokens, index) : undefined;
    case 'export': {
      const first = next?.text === 'type' ? index + 2 : index + 1;
      if (tokens[first]?.text === '*') return from(tokens, first);
      if (tokens[first]?.text !== '{') return undefined;
      const close = tokens.findIndex(
        (token, at) => at > first && token.kind === 'mark' && token.text === '}',
      );
      return tokens[close + 1]?.text === 'from' ? from(tokens, close) : undefined;
    }
    default:
      return undefined;
  }
}

/** What may stand before an import expression; a method of that name stands elsewhere. */
const beforeExpression = new Set(['await', 'return', 'yield', '=', '(', '>', ',', '?', ':', '&', '|', '[']);

function call(tokens: readonly Token[], index: number): Found {
  const argument = tokens[index + 2];
  if (argument?.kind === 'string') return { specifier: argument.text };
  return beforeExpression.has(tokens[index - 1]?.text ?? '') ? { specifier: undefined } : undefined;
}

function from(tokens: readonly Token[], start: number): Found {
  for (let index = start; index < tokens.length; index += 1) {
    const [token, name] = [tokens[index], tokens[index + 1]];
    if (token?.kind === 'mark' && token.text === ';') return undefined;
    if (token?.kind === 'word' && token.text === 'from' && name?.kind === 'string')
      return { specifier: name.text };
  }
  return undefined;
}

const words = /[\w$#@\u0080-\uffff]+/y;
const blanks = /\s+|\/\/[^\n]*|\/\*[^]*?\*\//y;
const quoted = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y;
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** Up to the end of a template literal, or to its next substitution. */
const template = /(?:[^`\\$]|\\[^]|\$(?!\{))*(`|\$\{)/y;

const beforeRegex = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof'.split(' '),
);

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open brace, whether it is a template literal's substitution. */
  const braces: boolean[] = [];
  let at = 0;
  let line = 1;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text === undefined) return undefined;
    at += text.length;
    return text;
  };
  const push = (kind: Token['kind'], text: string, raw = text): void => {
    tokens.push({ kind, text, line });
    line += raw.split('\n').length - 1;
  };
  const takeTemplate = (whole: boolean): void => {
    const text = take(template);
    if (text === undefined) throw new Error(`line ${line}: a template literal without an end`);
    const closed = text.endsWith('`');
    if (!closed) braces.push(true);
    // Only a template without substitutions is a name that can be read.
    push(closed && whole ? 'string' : 'mark', closed && whole ? text.slice(0, -1) : '`', text);
  };
  const regexMayStart = (): boolean => {
    const last = tokens.at(-1);
    if (last === undefined) return true;
    return last.kind === 'word'
      ? beforeRegex.has(last.text)
      : last.kind === 'mark' && !/[)\]}`]/.test(last.text);
  };

  while (at < source.length) {
    const blank = take(blanks);
    if (blank !== undefined) {
      line += blank.split('\n').length - 1;
      continue;
    }
    const character = source.charAt(at);
    const word = take(words);
    if (word !== undefined) push('word', word);
    else if (character === "'" || character === '"') {
      const text = take(quoted);
      if (text === undefined) throw new Error(`line ${line}: a string without an end`);
      push('string', text.slice(1, -1), text);
    } else if (character === '/' && regexMayStart() && take(regex) !== undefined) push('mark', '/regex/');
    else {
      at += 1;
      if (character === '`') takeTemplate(true);
      else if (character === '}' && braces.pop() === true) takeTemplate(false);
      else {
        if (character === '{') braces.push(false);
        push('mark', character);
      }
    }
  }
  return tokens;
}
