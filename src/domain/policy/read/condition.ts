import { closest } from '../../../yaml/index.ts';
import { listPattern } from '../decide/index.ts';
import {
  type Fault,
  faultOfHeaderName,
  faultOfIpBlock,
  faultOfPort,
  faultOfServiceAccount,
  faultOfTrustDomain,
} from './values.ts';

/** What a condition's values are, by its attribute. */
const attributes = {
  'source.ip': faultOfIpBlock,
  'remote.ip': faultOfIpBlock,
  'source.namespace': anyText,
  'source.serviceAccount': faultOfServiceAccount,
  'source.principal': anyText,
  'source.trustDomain': faultOfTrustDomain,
  'request.auth.principal': anyText,
  'request.auth.audiences': anyText,
  'request.auth.presenter': anyText,
  'request.auth.claims': anyText,
  'request.headers': anyText,
  'destination.ip': faultOfIpBlock,
  'destination.port': faultOfPort,
  'connection.sni': anyText,
  'experimental.envoy.filters.*': faultOfMetadata,
} as const satisfies Readonly<Record<string, (value: string) => Fault | undefined>>;

export type ConditionAttribute = keyof typeof attributes;

/**
 * A condition's key in its parts: `request.auth.claims[a][b]` has the names a and b, `experimental.envoy.filters.a.b[c]`
 * the names envoy.filters.a.b and c.
 */
export interface ConditionKey {
  readonly attribute: ConditionAttribute;
  readonly names: readonly string[];
}

/** Attributes that once were, with what says the same today. */
const replaced: Readonly<Record<string, string>> = {
  'destination.namespace': 'the policy’s own metadata.namespace says where it applies',
  'destination.labels': 'the policy’s own selector says to which workloads it applies',
  'destination.name': 'name the workload by the policy’s selector',
  'destination.user': 'name the workload by the policy’s selector',
};

const named: readonly ConditionAttribute[] = ['request.headers', 'request.auth.claims'];

function anyText(): undefined {
  return undefined;
}

function isAttribute(name: string): name is ConditionAttribute {
  return Object.hasOwn(attributes, name);
}

/** Keys that are written whole, and those that are followed by a name in brackets. */
export const conditionKeys: { readonly whole: readonly string[]; readonly named: readonly string[] } = {
  whole: Object.keys(attributes).filter((name) => !name.endsWith('*') && !isNamed(name)),
  named,
};

function isNamed(name: string): boolean {
  return named.some((each) => each === name);
}

/** @returns the key's parts, or why it is none */
export function parseConditionKey(key: string): ConditionKey | Fault {
  if (key.startsWith('experimental.')) return parseMetadataKey(key);
  const [, attribute = '', brackets = ''] = /^([^[]*)((?:\[.*\])?)$/s.exec(key) ?? [];
  if (!isAttribute(attribute)) return unknown(key, attribute);
  const names = namesIn(brackets);
  if (!named.includes(attribute)) {
    return brackets === ''
      ? { attribute, names: [] }
      : { message: `${attribute} has no parts`, mend: `write ${attribute}` };
  }
  if (names === undefined || (attribute === 'request.headers' && names.length > 1))
    return {
      message: `${JSON.stringify(key)} names no ${attribute === 'request.headers' ? 'header' : 'claim'}`,
      mend: attribute === 'request.headers' ? `write ${attribute}[NAME]` : `write ${attribute}[NAME][WITHIN]`,
    };
  const [header = ''] = names;
  // Envoy keeps what HTTP/2 calls :authority and :method among the headers.
  if (attribute === 'request.headers' && faultOfHeaderName(header.replace(/^:/, '')))
    return { message: `${JSON.stringify(header)} can be no name of a header` };
  return { attribute, names };
}

/** What a filter has left for others; nothing of it is Envoy's own promise, nor Istio's. */
function parseMetadataKey(key: string): ConditionKey | Fault {
  const [, filter = '', name = ''] = /^experimental\.(envoy\.filters\.[^[\]]+)\[([^[\]]+)\]$/.exec(key) ?? [];
  if (filter !== '') return { attribute: 'experimental.envoy.filters.*', names: [filter, name] };
  return {
    message: `${JSON.stringify(key)} names no metadata of a filter`,
    mend: 'write experimental.envoy.filters.FILTER[NAME]',
  };
}

/** `[v]` asks for a list with v in it. */
function faultOfMetadata(value: string): Fault | undefined {
  const inList = listPattern(value);
  if (inList === undefined || /^[^[\]](?:.*[^[\]])?$/s.test(inList)) return undefined;
  return {
    message: `${JSON.stringify(value)} asks for nothing in a list`,
    mend: 'write one pair of brackets around what the list must hold, as [update]',
  };
}

/** `[a][b]` gives a and b; undefined when it is not of that form. */
function namesIn(brackets: string): readonly string[] | undefined {
  if (!/^(?:\[[^[\]]+\])+$/.test(brackets)) return undefined;
  return brackets.slice(1, -1).split('][');
}

function unknown(key: string, attribute: string): Fault {
  const instead = replaced[attribute];
  if (instead !== undefined) return { message: `${attribute} cannot be matched`, mend: instead };
  const known = Object.keys(attributes);
  const meant = closest(attribute, known);
  return {
    message: `unknown attribute ${JSON.stringify(key)}`,
    mend: meant
      ? `did you mean ${meant}${key.slice(attribute.length)}?`
      : `known are ${known.map(withForm).join(', ')}`,
  };
}

function withForm(attribute: string): string {
  return isNamed(attribute) ? `${attribute}[NAME]` : attribute;
}

/** Why `value` is none for the attribute. */
export function faultOfConditionValue({ attribute }: ConditionKey, value: string): Fault | undefined {
  return attributes[attribute](value);
}
