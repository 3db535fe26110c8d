import { trustDomainsOf, underAllNames } from '../../decide/index.ts';
import { type Formula } from '../formulas.ts';
import { anything, classes, patternRow, type Row, something, spelled, writtenText } from '../text/pieces.ts';
import type { Vocabulary } from '../vocabulary.ts';
import { type Any, asked, keyOf } from './ask.ts';

const segmentPattern = (pattern: string): readonly Row[] =>
  // No segment has a slash.
  writtenText(pattern).includes('/') ? [] : [patternRow(pattern, { star: classes.notSlash })];

export const principals: Any = (name, patterns, { vocabulary, mesh }) => {
  const meant = [...new Set(patterns.flatMap((pattern) => underAllNames(pattern, mesh)))];
  return vocabulary.ask({
    space: vocabulary.source(),
    key: keyOf('principal', meant),
    list: { field: name, patterns },
    add: (space, literal) => {
      space.add(
        literal,
        meant.map((pattern) => patternRow(pattern)),
      );
    },
  });
};

const oneSegment = something(classes.notSlash);

export const namespaces: Any = (name, patterns, { vocabulary }) =>
  asked(vocabulary, vocabulary.source(), 'namespace', { field: name, patterns }, (pattern) =>
    segmentPattern(pattern).map((row) => [
      oneSegment,
      ...spelled('/ns/'),
      ...row,
      ...spelled('/sa/'),
      oneSegment,
    ]),
  );

export function serviceAccounts(ownNamespace: string): Any {
  return (name, entries, { vocabulary }) => {
    const patterns = entries.map((entry) => (entry.includes('/') ? entry : `${ownNamespace}/${entry}`));
    return asked(vocabulary, vocabulary.source(), 'account', { field: name, patterns }, (entry) => {
      const [namespace = '', account = '', ...more] = entry.split('/');
      if (namespace === '' || account === '' || more.length > 0) return [];
      return [[oneSegment, ...spelled(`/ns/${namespace}/sa/${account}`)]];
    });
  };
}

export const trustDomains: Any = (name, patterns, { vocabulary, mesh }) => {
  const meant = [...new Set(patterns.flatMap((pattern) => trustDomainsOf(pattern, mesh)))];
  return vocabulary.ask({
    space: vocabulary.source(),
    key: keyOf('trust domain', meant),
    list: { field: name, patterns },
    add: (space, literal) => {
      const rows = meant.flatMap((pattern): readonly Row[] =>
        pattern === '*'
          ? [[anything()]]
          : segmentPattern(pattern).map((row) => [...row, ...spelled('/'), anything()]),
      );
      space.add(literal, rows);
    },
  });
};

/** Whether the caller is known by mutual TLS. */
export function isKnown(vocabulary: Vocabulary): Formula {
  return vocabulary.ask({
    space: vocabulary.source(),
    key: 'known',
    list: { field: 'present', patterns: [] },
    add: (space, literal) => {
      space.add(literal, [[anything()]]);
    },
  });
}
