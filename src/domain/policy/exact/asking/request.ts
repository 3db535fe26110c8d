import { isJoinedHeader, isPathTemplate, listPattern, lowerCase } from '../../decide/index.ts';
import { always, type Formula, never } from '../formulas.ts';
import {
  anything,
  classes,
  eitherCase,
  type Piece,
  patternRow,
  type Row,
  something,
  spelled,
} from '../text/pieces.ts';
import { type Carrier, holdsTokenField, isOfBadTokens } from '../tokens/carriers.ts';
import type { Vocabulary } from '../vocabulary.ts';
import { type Any, asked, keyOf } from './ask.ts';
import { textOfClaim } from './token.ts';

export function addresses(kind: 'sourceIp' | 'remoteIp' | 'destinationIp'): Any {
  return (name, patterns, { vocabulary, ofConnection = false }) => {
    const [own, field] =
      ofConnection && kind === 'remoteIp' ? (['sourceIp', 'ipBlocks'] as const) : [kind, name];
    return vocabulary.ask({
      space: vocabulary.address(own),
      key: keyOf('block', patterns),
      list: { field, patterns },
      add: (space, literal) => {
        space.add(literal, patterns);
      },
    });
  };
}

/** A port is not asked about: it is that of the question. No policy names `other` ones. */
export const ports: Any = (_, values, { port }) =>
  values.some((value) => Number(value) === port) ? always : never;

export const methods: Any = (name, patterns, { vocabulary }) =>
  asked(vocabulary, vocabulary.method(), 'text', { field: name, patterns }, (pattern) => [
    patternRow(pattern),
  ]);

export const hosts: Any = (name, patterns, { vocabulary }) =>
  asked(
    vocabulary,
    vocabulary.host(),
    'host',
    { field: name, patterns: patterns.map(lowerCase) },
    (pattern) => [patternRow(pattern, { of: eitherCase })],
  );

export const serverNames: Any = (name, patterns, { vocabulary }) =>
  asked(
    vocabulary,
    vocabulary.sni(),
    'text',
    { field: name, patterns: patterns.map(lowerCase) },
    (pattern) => [patternRow(pattern)],
  );

/** Whether the client of a connection says whom it wants at all. */
export function hasServerName(vocabulary: Vocabulary): Formula {
  return vocabulary.ask({
    space: vocabulary.sni(),
    key: 'at all',
    list: { field: 'present', patterns: [] },
    add: (space, literal) => {
      space.add(literal, [[something()]]);
    },
  });
}

export const paths: Any = (name, patterns, { vocabulary }) =>
  asked(vocabulary, vocabulary.path(), 'path', { field: name, patterns }, (pattern) => {
    // It would be asked of a query, which is none of the path.
    if (pattern.includes('?')) return [];
    const row = isPathTemplate(pattern)
      ? templateRow(pattern)
      : patternRow(pattern, { star: classes.notQuery });
    return [[...row, { kind: 'endOfPath' }]];
  });

function templateRow(template: string): Row {
  return template.split(/(\{\*\*?\})/).flatMap((part): readonly Piece[] => {
    if (part === '{*}') return [something(classes.notSlashNorQuery)];
    return part === '{**}' ? [anything(classes.notQuery)] : spelled(part);
  });
}

export function header(name: string): Any {
  const any = plainHeader(name);
  return (fieldName, patterns, reading) => {
    const claimMade = reading.early ? undefined : reading.made?.get(name);
    if (claimMade !== undefined) return textOfClaim(claimMade)(fieldName, patterns, reading);
    const seen = reading.carriers?.get(name);
    if (!seen) return any(fieldName, patterns, reading);
    const { formulas } = reading.vocabulary;
    const [others, ofBad] = parted(patterns, (pattern) => isOfBadTokens(seen.carrier, pattern));
    const came = formulas.or([
      ...(others.length > 0 ? [any(fieldName, others, reading)] : []),
      ...(ofBad.length > 0
        ? [formulas.and([any(fieldName, ofBad, reading), formulas.not(seen.isGood)])]
        : []),
    ]);
    // Nothing is thrown away before tokens have been looked at.
    return reading.early ? came : formulas.and([came, formulas.not(seen.isRemoved)]);
  };
}

function parted<T>(
  all: readonly T[],
  isSecond: (each: T) => boolean,
): readonly [first: readonly T[], second: readonly T[]] {
  return [all.filter((each) => !isSecond(each)), all.filter(isSecond)];
}

/** Whether there is what stands before a token. */
export function holdsToken(vocabulary: Vocabulary, { name, prefix }: Carrier): Formula {
  const list = { field: holdsTokenField, patterns: [prefix] };
  const row = [anything(), ...spelled(prefix), anything()];
  const key = keyOf('holds', [prefix]);
  if (isJoinedHeader(name))
    return vocabulary.ask({
      space: vocabulary.joinedHeader(name),
      key,
      list,
      add: (space, literal) => {
        space.add(literal, [row]);
      },
    });
  return vocabulary.ask({
    space: vocabulary.header(name),
    key,
    list,
    add: (space, literal) => {
      space.add(literal, [row]);
    },
  });
}

function plainHeader(name: string): Any {
  return (fieldName, patterns, { vocabulary }) => {
    const list = { field: fieldName, patterns };
    // They are always there.
    if ((name === 'host' || name.startsWith(':')) && firstLine.has(name) && patterns.includes('*'))
      return always;
    const rows = (pattern: string): readonly Row[] => [pattern === '*' ? [anything()] : patternRow(pattern)];
    switch (name) {
      case 'host':
      case ':authority':
        return asked(vocabulary, vocabulary.host(), 'text', list, rows);
      case ':method':
        return asked(vocabulary, vocabulary.method(), 'text', list, rows);
      case ':path':
        return asked(vocabulary, vocabulary.path(), 'text', list, rows);
      default:
        break;
    }
    if (isJoinedHeader(name)) return asked(vocabulary, vocabulary.joinedHeader(name), 'text', list, rows);
    return vocabulary.ask({
      space: vocabulary.header(name),
      key: keyOf('text', patterns),
      list,
      add: (space, literal) => {
        space.add(literal, patterns.flatMap(rows));
      },
    });
  };
}

const firstLine: ReadonlySet<string> = new Set(['host', ':authority', ':method', ':path']);

export function metadata(filter: string, name: string): Any {
  return (fieldName, patterns, { vocabulary }) => {
    const space = vocabulary.metadata(filter, name);
    const inLists = patterns.filter((pattern) => listPattern(pattern) !== undefined);
    const inTexts = patterns.filter((pattern) => listPattern(pattern) === undefined);
    const ofTexts = vocabulary.ask({
      space,
      key: keyOf('text', inTexts),
      list: { field: fieldName, patterns: inTexts },
      add: (own, literal) => {
        own.addText(
          literal,
          inTexts.map((pattern) => patternRow(pattern)),
        );
      },
    });
    const ofLists = vocabulary.ask({
      space,
      key: keyOf('list', inLists),
      list: { field: fieldName, patterns: inLists },
      add: (own, literal) => {
        own.addList(
          literal,
          inLists.map((pattern) => patternRow(listPattern(pattern) ?? '')),
        );
      },
    });
    return vocabulary.formulas.or([
      ...(inTexts.length > 0 ? [ofTexts] : []),
      ...(inLists.length > 0 ? [ofLists] : []),
    ]);
  };
}
