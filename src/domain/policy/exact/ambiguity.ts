import type { RequestPart } from '../decide/index.ts';
import type { Formula } from './formulas.ts';
import type { TextSpace } from './spaces/text-space.ts';
import { anything, classes, oneOf, type Piece, type Row } from './text/pieces.ts';
import type { Vocabulary } from './vocabulary.ts';

const within = anything(classes.notQuery);

/** `%` and what follows it, each place any of these characters. */
function escape(...places: readonly string[]): readonly Piece[] {
  return [oneOf('%'), ...places.map(oneOf)];
}

/** What isAmbiguous says of each part, as languages: something somewhere in it. */
const anywhere: Readonly<Record<RequestPart, readonly (readonly Piece[])[]>> = {
  path: [
    [oneOf(';')],
    escape('3', 'bB'),
    [...escape('cC', '01'), ...escape('89abAB')],
    [...escape('eE', '0'), ...escape('89')],
    [...escape('fF', '0'), ...escape('8')],
    escape('uU'),
  ],
  method: [[oneOf('abcdefghijklmnopqrstuvwxyz')]],
  host: [[oneOf('@,')]],
};

/** That an application may take a part of the request for another one than policies compare. */
export function isAmbiguousPart(vocabulary: Vocabulary, part: RequestPart): Formula {
  const space: TextSpace = {
    path: () => vocabulary.path(),
    method: () => vocabulary.method(),
    host: () => vocabulary.host(),
  }[part]();
  return vocabulary.ask({
    space,
    key: 'ambiguous',
    list: { field: 'ambiguous', patterns: [] },
    add: (own, literal) => {
      const before = part === 'path' ? within : anything();
      own.add(
        literal,
        anywhere[part].map((pieces): Row => [before, ...pieces, anything()]),
        part === 'path',
      );
    },
  });
}
