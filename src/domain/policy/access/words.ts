import type { Alternative, Constraint, PatternList, PortProtocol, Region } from '../exact/index.ts';
import { simplified } from './merge.ts';

/** A region as an author would say it; each part is there, and says "any" in words where nothing is asked of it. */
export interface RegionWords {
  readonly callers: string;
  /** Empty where the port is not HTTP. */
  readonly methods: string;
  readonly paths: string;
  /** What else must be so: a host, headers, claims, addresses, and what an authorizer outside would have to say. */
  readonly conditions: readonly string[];
}

/** The lists of a region stay as the policies have them: `/orders/*`, `*.html`, `10.0.0.0/8`. */
export function regionWords({ constraints }: Region, protocol: PortProtocol): RegionWords {
  const of = (kind: Constraint['attribute']['kind']) =>
    constraints.find(({ attribute }) => attribute.kind === kind);
  const isHttp = protocol === 'http';
  return {
    callers: callersWords(of('source')),
    methods: isHttp ? textWords(of('method'), 'any') : '',
    paths: isHttp ? textWords(of('path'), 'any') : '',
    conditions: constraints.flatMap(conditionWords),
  };
}

const nobodyKnown = 'plaintext';
const anyIdentity = 'any identity';

function callersWords(source: Constraint | undefined): string {
  if (!source) return `anyone, ${nobodyKnown} included`;
  return either(source, ({ matches, except }) => {
    const isPlaintext = except.some(({ field }) => field === 'present');
    if (isPlaintext) return nobodyKnown;
    const named = matches.filter(({ field }) => field !== 'present').map(callerWords);
    const whom =
      named.length > 0
        ? named.join(' that is ')
        : matches.length > 0
          ? anyIdentity
          : `anyone, ${nobodyKnown} included`;
    const but = except.map(callerWords).join(' nor ');
    return but === '' ? whom : `${whom}, but not ${but}`;
  });
}

function callerWords({ field, patterns }: PatternList): string {
  if (patterns.includes('*')) return anyIdentity;
  const names = anyOf(patterns);
  switch (field) {
    case 'namespaces':
    case 'source.namespace':
      return `any account of namespace ${names}`;
    case 'serviceAccounts':
    case 'source.serviceAccount':
      return `account ${names}`;
    case 'trustDomains':
    case 'source.trustDomain':
      return `any identity of trust domain ${names}`;
    default:
      return names;
  }
}

/** Of what is compared as one text. */
function textWords(constraint: Constraint | undefined, nothing: string): string {
  if (!constraint) return nothing;
  // Nobody can be meant by it: such requests are refused wherever this part is compared.
  const told = constraint.alternatives.map(({ matches, except }) => ({
    matches,
    except: except.filter(({ field }) => field !== 'ambiguous'),
  }));
  return either({ ...constraint, alternatives: simplified(told) }, ({ matches, except }) => {
    const asked = matches.map(listWords).join(' that is also ');
    const but = except.map(listWords).join(' nor ');
    return [asked || nothing, ...(but === '' ? [] : [`but not ${but}`])].join(' ');
  });
}

function listWords({ field, patterns }: PatternList): string {
  if (field === 'ambiguous') return 'one that applications read in several ways';
  if (field === 'present') return 'one that is there';
  return patterns.includes('*') ? 'any that is not empty' : anyOf(patterns);
}

function conditionWords(constraint: Constraint): readonly string[] {
  const { attribute } = constraint;
  switch (attribute.kind) {
    case 'source':
    case 'method':
    case 'path':
      return [];
    case 'host': {
      const words = textWords(constraint, 'any');
      return words === 'any' ? [] : [`host ${words}`];
    }
    case 'provider':
      return [
        either(constraint, ({ matches }) =>
          matches.length > 0
            ? `if provider ${attribute.name} refuses`
            : `if provider ${attribute.name} agrees`,
        ),
      ];
    case 'sni':
      return [`server name ${textWords(constraint, 'any')}`];
    case 'header':
      return [valueWords(`header ${attribute.name}`, constraint)];
    case 'token':
      return [either(constraint, tokenWords)];
    case 'claim':
      return [valueWords(`claim ${attribute.path.join('.')}`, constraint)];
    // Asked where two worlds are compared alone.
    case 'tokenPlace':
      return [`a token in ${textWords(constraint, 'any place')}`];
    case 'tokenKey':
      return [`signed by ${textWords(constraint, 'any key')}`];
    case 'metadata':
      return [valueWords(`metadata ${attribute.filter}[${attribute.name}]`, constraint)];
    case 'sourceIp':
      return [`from ${textWords(constraint, 'anywhere')}`];
    case 'remoteIp':
      return [`for a client at ${textWords(constraint, 'any address')}`];
    case 'destinationIp':
      return [`to ${textWords(constraint, 'any address')}`];
  }
}

/** Of what may have several values, or none. */
function valueWords(name: string, constraint: Constraint): string {
  return either(constraint, ({ matches, except }) => {
    const asked = matches.map((list) =>
      isAny(list) ? `${name} is there` : `${name} is ${anyOf(list.patterns)}`,
    );
    const but = except.map((list) => (isAny(list) ? `no ${name}` : `${name} is not ${anyOf(list.patterns)}`));
    return [...asked, ...but].join(' and ');
  });
}

function tokenWords({ matches, except }: Alternative): string {
  const words = (list: PatternList): string => {
    if (list.field === 'present' || isAny(list)) return 'a token with a name';
    const claim = /claims\[(\w+)\]$/.exec(list.field)?.[1];
    return claim === undefined
      ? `a token of ${anyOf(list.patterns)}`
      : `claim ${claim} is ${anyOf(list.patterns)}`;
  };
  const but = except.map((list) => `not ${words(list)}`);
  return [...matches.map(words), ...but].join(' and ');
}

function isAny({ field, patterns }: PatternList): boolean {
  return field === 'present' || patterns.includes('*');
}

function anyOf(patterns: readonly string[]): string {
  const quoted = patterns.map((pattern) => (/^[^\s,]+$/.test(pattern) ? pattern : JSON.stringify(pattern)));
  const [last = '', ...before] = quoted.toReversed();
  return before.length === 0 ? last : `${before.toReversed().join(', ')} or ${last}`;
}

function either({ alternatives, more }: Constraint, words: (alternative: Alternative) => string): string {
  const all = [...new Set(alternatives.map(words))];
  return [...all, ...(more > 0 ? [`${more} more`] : [])].join('; or ');
}
