import { asText, asWords } from './asking/index.ts';
import type {
  Alternative,
  Attribute,
  Constraint,
  ExactDecision,
  MarkDifference,
  PatternList,
  PortOf,
  Region,
  WitnessToken,
} from './model.ts';
import { holdsTokenField } from './tokens/carriers.ts';

/** What an author reads of a region: in the order of a sentence, from the caller to what is asked. */
export function regionText({ constraints }: Region): string {
  if (constraints.length === 0) return 'every request';
  return constraints
    .toSorted((a, b) => order(a.attribute) - order(b.attribute))
    .map(constraintText)
    .join(', ');
}

/** `caller of namespace shop, but not shop/web`. */
function constraintText(constraint: Constraint): string {
  const { alternatives, attribute, more } = constraint;
  const texts = alternatives.map((alternative) => alternativeText(alternative, attribute));
  const rest = more > 0 ? [`${more} more of the kind`] : [];
  return `${subject(attribute)} ${[...texts, ...rest].join('; or ')}`;
}

const kinds: readonly Attribute['kind'][] = [
  'source',
  'sourceIp',
  'remoteIp',
  'tokenPlace',
  'tokenKey',
  'token',
  'claim',
  'method',
  'path',
  'host',
  'header',
  'sni',
  'destinationIp',
  'metadata',
  'provider',
];

function order(attribute: Attribute): number {
  const isAside = attribute.kind === 'provider' && attribute.about !== undefined;
  return kinds.indexOf(attribute.kind) + (isAside ? 0.5 : 0);
}

function subject(attribute: Attribute): string {
  switch (attribute.kind) {
    case 'source':
      return 'caller';
    case 'sourceIp':
      return 'address';
    case 'remoteIp':
      return 'client address';
    case 'destinationIp':
      return 'called address';
    case 'token':
      return 'token';
    case 'tokenPlace':
      return 'token in';
    case 'tokenKey':
      return 'signed by';
    case 'claim':
      return `claim ${attribute.path.join('.')}`;
    case 'header':
      return `header ${attribute.name}`;
    case 'sni':
      return 'server name';
    case 'metadata':
      return `metadata ${attribute.filter}[${attribute.name}]`;
    case 'provider':
      return `authorizer ${attribute.name}${attribute.about === undefined ? '' : ' about the connection'}`;
    case 'method':
    case 'path':
    case 'host':
      return attribute.kind;
  }
}

function alternativeText({ matches, except: all }: Alternative, attribute: Attribute): string {
  // That somebody is there goes without saying beside who it is.
  const named = matches.length > 1 ? matches.filter(({ field }) => field !== 'present') : matches;
  const { positive, except } = shortened(named, all);
  if (positive.length === 0 && except.length === 1 && except[0]?.field === 'present') {
    if (attribute.kind === 'source') return 'without mutual TLS';
    return isChoice(attribute) ? 'none that is known' : 'not there';
  }
  if (positive.length === 0 && except.length === 1 && except[0]?.field === 'refuses') return 'agrees';
  if (positive.length === 0 && isChoice(attribute))
    return `none of ${except.map((list) => listText(list, attribute)).join(', ')}`;
  const yes = positive.map((list) => listText(list, attribute)).join(' and ');
  const no = except.map((list) => listText(list, attribute)).join(', nor ');
  if (yes === '') return `any but ${no}`;
  return no === '' ? yes : `${yes}, but not ${no}`;
}

/** Of some that are known by name, or none. */
function isChoice({ kind }: Attribute): boolean {
  return kind === 'tokenPlace' || kind === 'tokenKey';
}

/**
 * Without what is written on both sides, and goes away: of `GET or POST, but not GET` POST is left. What else is excepted
 * stays, unless both sides are single values, which have nothing in common.
 */
function shortened(
  positive: readonly PatternList[],
  except: readonly PatternList[],
): { readonly positive: readonly PatternList[]; readonly except: readonly PatternList[] } {
  const isOut = (field: string, pattern: string) =>
    except.some((list) => list.field === field && list.patterns.includes(pattern));
  const left = positive.map(({ field, patterns }) => {
    const rest = patterns.filter((pattern) => !isOut(field, pattern));
    return { field, patterns: rest.length > 0 ? rest : patterns };
  });
  const isSingle = ({ patterns }: PatternList) =>
    patterns.length > 0 && !patterns.some((pattern) => /[*{]/.test(pattern));
  const isApart = (list: PatternList) =>
    isSingle(list) &&
    left.some(
      (own) =>
        own.field === list.field &&
        isSingle(own) &&
        !own.patterns.some((pattern) => list.patterns.includes(pattern)),
    );
  return { positive: left, except: except.filter((list) => !isApart(list)) };
}

/** More of a list than this is not told. */
const most = 6;

function listText({ field, patterns }: PatternList, { kind }: Attribute): string {
  const few = patterns.slice(0, most).map((pattern) => shown(pattern));
  const text = [...few, ...(patterns.length > most ? [`${patterns.length - most} more`] : [])].join(' or ');
  if (field.endsWith(asWords)) return `with a word ${text}`;
  if (field.endsWith(asText)) return `the text ${text}`;
  switch (field) {
    case 'present':
      return kind === 'source' ? 'known by mutual TLS' : 'there';
    case holdsTokenField:
      return 'with a token';
    case 'ambiguous':
      return 'ambiguous';
    case 'refuses':
      return 'refuses';
    case 'namespaces':
    case 'source.namespace':
      return `of namespace ${text}`;
    case 'serviceAccounts':
    case 'source.serviceAccount':
      return `of service account ${text}`;
    case 'tokenPlace':
    case 'tokenKey':
      return patterns.join(' or ');
    case 'issuer':
      return `of issuer ${text}`;
    case 'trustDomains':
    case 'source.trustDomain':
      return `of trust domain ${text}`;
    default:
      return text;
  }
}

function shown(pattern: string): string {
  return /^[\x21-\x7e]+$/.test(pattern) ? pattern : JSON.stringify(pattern);
}

/** What decides, for a person. */
export function decisionText({ verdict, step, by }: ExactDecision): string {
  const rule = by === undefined ? '' : ` rule ${by.rule} of ${by.namespace}/${by.name}`;
  if (step === 'MTLS') return 'refused: the port does not take connections of this kind';
  if (step === 'HTTP') return 'refused: it is no request, and the port takes no other bytes';
  if (step === 'TOKEN') return 'refused: its token is not taken';
  if (step === 'PATH') return 'denied: it can be read in different ways, and policies compare it';
  if (verdict === 'allow') return by === undefined ? 'allowed: no ALLOW policy holds' : `allowed by${rule}`;
  if (by === undefined) return 'denied: no ALLOW policy matches';
  return step === 'CUSTOM' ? `denied by the authorizer of${rule}` : `denied by${rule}`;
}

/** What marks, for a person: `audited by rule 0 of shop/audit`. */
export function markText({ mark: { action, dryRun }, by }: Pick<MarkDifference, 'mark' | 'by'>): string {
  const rule = `rule ${by.rule} of ${by.namespace}/${by.name}`;
  return dryRun ? `matched by ${rule}, a dry run of ${action}` : `audited by ${rule}`;
}

/** A token that a request brings, and who has signed it. */
export function tokenText({ place, signedBy, claims }: WitnessToken): string {
  return `${JSON.stringify(claims)} in ${place}, signed by ${signedBy ?? 'a key that no rule has'}`;
}

/** The first few, and how many there are. */
export function placesText(places: readonly PortOf[]): string {
  const few = places
    .slice(0, 3)
    .map(({ workload, port }) => `${workload}, ${port === 'other' ? 'any other port' : `port ${port}`}`);
  return places.length > 3 ? `${few.join('; ')}; and ${places.length - 3} more` : few.join('; ');
}
