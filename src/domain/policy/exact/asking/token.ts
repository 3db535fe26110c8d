import { writtenAudiences } from '../../token-rule.ts';
import { type Formula, never } from '../formulas.ts';
import type { PatternList } from '../model.ts';
import { type TokenPart, tokenRows } from '../spaces/token-space.ts';
import { anything, classes, patternRow, type Row, rowsOfWords, something, spelled } from '../text/pieces.ts';
import { isAlwaysText } from '../tokens/made-headers.ts';
import type { Vocabulary } from '../vocabulary.ts';
import { type Any, keyOf, type Reading } from './ask.ts';

export function claim(path: readonly string[]): Any {
  return (name, patterns, reading) => {
    const { vocabulary } = reading;
    const list = { field: name, patterns };
    const rows = patterns.map((pattern) => patternRow(pattern));
    const [first = '', second] = path;
    if (second === undefined && (first === 'iss' || first === 'sub'))
      return ofToken(reading, () => tokenLiteral(vocabulary, first, list, rows));
    if (reading.taken !== undefined && isNeverText(first, second)) return never;
    const isOfWords = second === undefined && reading.words?.has(first) === true;
    return ofToken(reading, () =>
      vocabulary.ask({
        space: vocabulary.claim(path),
        key: keyOf(isOfWords ? 'words' : 'text', patterns),
        list: isOfWords ? { field: `${name}${asWords}`, patterns } : list,
        add: (space, literal) => {
          space.add(literal, rows, isOfWords ? patterns.flatMap(rowsOfWords) : undefined);
        },
      }),
    );
  };
}

/** Of a claim that goes into a header as it is: of a text, and of no list. */
export function textOfClaim(name: string): Any {
  const field = `request.auth.claims[${name}]`;
  if (isAlwaysText(name)) return (_, patterns, reading) => claim([name])(field, patterns, reading);
  return (_, patterns, reading) =>
    ofToken(reading, () =>
      reading.vocabulary.ask({
        space: reading.vocabulary.claim([name]),
        key: keyOf('one text', patterns),
        list: { field: `${field}${asText}`, patterns },
        add: (space, literal) => {
          const rows = patterns.map((pattern) => patternRow(pattern));
          space.add(literal, [], rows);
        },
      }),
    );
}

/** Behind a list's name: that one text is meant, and no list. */
export const asText = ' as one text';

/** Behind a list's name: that the words of a string are meant. */
export const asWords = ' as words';

/**
 * What no token has as a text, or it is none (RFC 7519, section 4.1): times are numbers, and names, identifiers and audiences
 * hold nothing that has a name in it.
 */
function isNeverText(first: string, second: string | undefined): boolean {
  if (['exp', 'nbf', 'iat'].includes(first)) return true;
  return second !== undefined && ['iss', 'sub', 'aud', 'jti'].includes(first);
}

export const tokenPrincipals: Any = (name, patterns, reading) =>
  ofToken(reading, () => tokenLiteral(reading.vocabulary, 'name', { field: name, patterns }, []));

/** What is asked of a token, where there is one that policies see. */
function ofToken({ vocabulary, early, taken }: Reading, ask: () => Formula): Formula {
  if (early) return never;
  return taken === undefined ? ask() : vocabulary.formulas.and([taken, ask()]);
}

/** Whether a token says that it is of this very issuer. */
export function issuerIs(vocabulary: Vocabulary, issuer: string): Formula {
  return vocabulary.ask({
    space: vocabulary.token(),
    key: keyOf('issuer', [issuer]),
    list: { field: 'issuer', patterns: [issuer] },
    add: (space, literal) => {
      const named = tokenRows('iss', (_, code) => spelled(issuer, code));
      space.add(literal, 'iss', [named], [spelled(issuer)]);
    },
  });
}

/** Whether a token is for one of these audiences, as a rule compares them. */
export function isForOneOf(vocabulary: Vocabulary, audiences: readonly string[]): Formula {
  const written = audiences.flatMap(writtenAudiences);
  return vocabulary.ask({
    space: vocabulary.claim(['aud']),
    key: keyOf('audience', written),
    list: { field: 'audiences', patterns: audiences },
    add: (space, literal) => {
      space.add(
        literal,
        written.map((audience) => spelled(audience)),
      );
    },
  });
}

function tokenLiteral(
  vocabulary: Vocabulary,
  part: TokenPart,
  list: PatternList,
  alone: readonly Row[],
): Formula {
  return vocabulary.ask({
    space: vocabulary.token(),
    key: keyOf(part, list.patterns),
    list,
    add: (space, literal) => {
      const named = list.patterns.map((pattern) =>
        tokenRows(part, (star, of) => patternRow(pattern, { star, of })),
      );
      space.add(literal, part, named, alone);
    },
  });
}

/** Whether a claim has any string in it: then it is no object, and nothing is within. */
export function hasClaim(vocabulary: Vocabulary, path: readonly string[]): Formula {
  const list: PatternList = { field: 'present', patterns: [] };
  const [first, second] = path;
  if (second === undefined && (first === 'iss' || first === 'sub'))
    return vocabulary.ask({
      space: vocabulary.token(),
      key: `${first} at all`,
      list,
      add: (space, literal) => {
        const named = tokenRows(first, () => [something(classes.notSeparator)]);
        space.add(literal, first, [named], [[anything()]]);
      },
    });
  return vocabulary.ask({
    space: vocabulary.claim(path),
    key: 'at all',
    list,
    add: (space, literal) => {
      space.add(literal, [[anything()]]);
    },
  });
}
