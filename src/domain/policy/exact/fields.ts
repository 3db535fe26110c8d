import {
  conditionSubject,
  isHttpOnly,
  isJoinedHeader,
  isPathTemplate,
  listPattern,
  lowerCase,
  type MeshNames,
  trustDomainsOf,
  underAllNames,
} from '../decide/index.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  Condition,
  OperationMatch,
  SourceMatch,
} from '../model.ts';
import { writtenAudiences } from '../token-rule.ts';
import { always, type Formula, never } from './formulas.ts';
import type { PatternList } from './model.ts';
import type { TextSpace } from './spaces/text-space.ts';
import { type TokenPart, tokenRows } from './spaces/token-space.ts';
import {
  anything,
  classes,
  eitherCase,
  type Piece,
  patternRow,
  type Row,
  something,
  spelled,
  writtenText,
} from './text/pieces.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What the same list means depends on. */
export interface Reading {
  readonly vocabulary: Vocabulary;
  readonly mesh: MeshNames;
  readonly port: number | 'other';
  /** Before tokens have been looked at no claim is known. */
  readonly early: boolean;
  /** When a token is taken, without which there are no claims; undefined where claims are free. */
  readonly taken?: Formula | undefined;
}

/** One attribute that a rule speaks of; `any` is true where one of the patterns matches. */
export interface FormulaField {
  readonly values: readonly string[];
  readonly notValues: readonly string[];
  readonly httpOnly: boolean;
  readonly any: (field: string, patterns: readonly string[], reading: Reading) => Formula;
  readonly name: string;
}

type Any = FormulaField['any'];

function field(
  name: string,
  values: readonly string[],
  notValues: readonly string[],
  any: Any,
  httpOnly = false,
): FormulaField {
  return { name, values, notValues, any, httpOnly };
}

/** The fields of a rule, in the shape in which `decide` reads them. */
export interface RuleFormulaFields {
  readonly from: readonly (readonly FormulaField[])[];
  readonly to: readonly (readonly FormulaField[])[];
  readonly when: readonly FormulaField[];
}

export function formulaFields(rule: AuthorizationRule, policy: AuthorizationPolicy): RuleFormulaFields {
  const { namespace } = policy.meta;
  return {
    from: rule.from.map((source) => sourceFields(source, namespace)),
    to: rule.to.map(operationFields),
    when: rule.when.map((condition) => conditionField(condition, namespace)),
  };
}

function sourceFields(source: SourceMatch, namespace: string): readonly FormulaField[] {
  return [
    field('principals', source.principals, source.notPrincipals, principals),
    field('requestPrincipals', source.requestPrincipals, source.notRequestPrincipals, tokenPrincipals, true),
    field('namespaces', source.namespaces, source.notNamespaces, namespaces),
    field('serviceAccounts', source.serviceAccounts, source.notServiceAccounts, serviceAccounts(namespace)),
    field('trustDomains', source.trustDomains, source.notTrustDomains, trustDomains),
    field('ipBlocks', source.ipBlocks, source.notIpBlocks, addresses('sourceIp')),
    field('remoteIpBlocks', source.remoteIpBlocks, source.notRemoteIpBlocks, addresses('remoteIp')),
  ];
}

function operationFields(operation: OperationMatch): readonly FormulaField[] {
  return [
    field('hosts', operation.hosts, operation.notHosts, hosts, true),
    field('ports', operation.ports, operation.notPorts, ports),
    field('methods', operation.methods, operation.notMethods, methods, true),
    field('paths', operation.paths, operation.notPaths, paths, true),
  ];
}

function conditionField({ key: text, values, notValues }: Condition, namespace: string): FormulaField {
  const key = conditionSubject(text);
  const of = (any: Any) => field(text, values, notValues, any, isHttpOnly(key));
  switch (key.kind) {
    case 'header':
      return of(header(key.name));
    case 'claim':
      return of(claim(key.path));
    case 'metadata':
      return of(metadata(key.filter, key.name));
    case 'source.ip':
      return of(addresses('sourceIp'));
    case 'remote.ip':
      return of(addresses('remoteIp'));
    case 'destination.ip':
      return of(addresses('destinationIp'));
    case 'source.namespace':
      return of(namespaces);
    case 'source.principal':
      return of(principals);
    case 'source.serviceAccount':
      return of(serviceAccounts(namespace));
    case 'source.trustDomain':
      return of(trustDomains);
    case 'request.auth.principal':
      return of(tokenPrincipals);
    case 'request.auth.audiences':
      return of(claim(['aud']));
    case 'request.auth.presenter':
      return of(claim(['azp']));
    case 'destination.port':
      return of(ports);
    case 'connection.sni':
      return of(serverNames);
  }
}

/** A literal about one text; `kind` tells apart what the same patterns ask in different ways. */
function asked(
  vocabulary: Vocabulary,
  space: TextSpace,
  kind: string,
  list: PatternList,
  rows: (pattern: string) => readonly Row[],
): Formula {
  return vocabulary.ask({
    space,
    key: keyOf(kind, list.patterns),
    list,
    add: (own, literal) => {
      own.add(literal, list.patterns.flatMap(rows));
    },
  });
}

function keyOf(kind: string, patterns: readonly string[]): string {
  return `${kind} ${JSON.stringify([...new Set(patterns)].toSorted())}`;
}

const segmentPattern = (pattern: string): readonly Row[] =>
  // No segment has a slash.
  writtenText(pattern).includes('/') ? [] : [patternRow(pattern, { star: classes.notSlash })];

const principals: Any = (name, patterns, { vocabulary, mesh }) => {
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

const namespaces: Any = (name, patterns, { vocabulary }) =>
  asked(vocabulary, vocabulary.source(), 'namespace', { field: name, patterns }, (pattern) =>
    segmentPattern(pattern).map((row) => [
      oneSegment,
      ...spelled('/ns/'),
      ...row,
      ...spelled('/sa/'),
      oneSegment,
    ]),
  );

function serviceAccounts(ownNamespace: string): Any {
  return (name, entries, { vocabulary }) => {
    const patterns = entries.map((entry) => (entry.includes('/') ? entry : `${ownNamespace}/${entry}`));
    return asked(vocabulary, vocabulary.source(), 'account', { field: name, patterns }, (entry) => {
      const [namespace = '', account = '', ...more] = entry.split('/');
      if (namespace === '' || account === '' || more.length > 0) return [];
      return [[oneSegment, ...spelled(`/ns/${namespace}/sa/${account}`)]];
    });
  };
}

const trustDomains: Any = (name, patterns, { vocabulary, mesh }) => {
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

function addresses(kind: 'sourceIp' | 'remoteIp' | 'destinationIp'): Any {
  return (name, patterns, { vocabulary }) =>
    vocabulary.ask({
      space: vocabulary.address(kind),
      key: keyOf('block', patterns),
      list: { field: name, patterns },
      add: (space, literal) => {
        space.add(literal, patterns);
      },
    });
}

/** A port is not asked about: it is that of the question. No policy names `other` ones. */
const ports: Any = (_, values, { port }) => (values.some((value) => Number(value) === port) ? always : never);

const methods: Any = (name, patterns, { vocabulary }) =>
  asked(vocabulary, vocabulary.method(), 'text', { field: name, patterns }, (pattern) => [
    patternRow(pattern),
  ]);

const hosts: Any = (name, patterns, { vocabulary }) =>
  asked(
    vocabulary,
    vocabulary.host(),
    'host',
    { field: name, patterns: patterns.map(lowerCase) },
    (pattern) => [patternRow(pattern, { of: eitherCase })],
  );

const serverNames: Any = (name, patterns, { vocabulary }) =>
  asked(
    vocabulary,
    vocabulary.sni(),
    'text',
    { field: name, patterns: patterns.map(lowerCase) },
    (pattern) => [patternRow(pattern)],
  );

const paths: Any = (name, patterns, { vocabulary }) =>
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

function header(name: string): Any {
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

function claim(path: readonly string[]): Any {
  return (name, patterns, reading) => {
    const { vocabulary } = reading;
    const list = { field: name, patterns };
    const rows = patterns.map((pattern) => patternRow(pattern));
    const [first, second] = path;
    if (second === undefined && (first === 'iss' || first === 'sub'))
      return ofToken(reading, () => tokenLiteral(vocabulary, first, list, rows));
    return ofToken(reading, () =>
      vocabulary.ask({
        space: vocabulary.claim(path),
        key: keyOf('text', patterns),
        list,
        add: (space, literal) => {
          space.add(literal, rows);
        },
      }),
    );
  };
}

const tokenPrincipals: Any = (name, patterns, reading) =>
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

function metadata(filter: string, name: string): Any {
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
