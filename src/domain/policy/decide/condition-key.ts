import { CitadelError } from '../../../kernel/index.ts';

/** What the key of a `when` condition names. */
export type ConditionSubject =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'claim'; readonly path: readonly [string, ...string[]] }
  | { readonly kind: 'metadata'; readonly filter: string; readonly name: string }
  | { readonly kind: PlainConditionKey };

export type PlainConditionKey =
  | 'source.ip'
  | 'remote.ip'
  | 'source.namespace'
  | 'source.principal'
  | 'source.serviceAccount'
  | 'source.trustDomain'
  | 'request.auth.principal'
  | 'request.auth.audiences'
  | 'request.auth.presenter'
  | 'destination.ip'
  | 'destination.port'
  | 'connection.sni';

const plain: Readonly<Record<PlainConditionKey, { readonly httpOnly: boolean }>> = {
  'source.ip': { httpOnly: false },
  'remote.ip': { httpOnly: false },
  'source.namespace': { httpOnly: false },
  'source.principal': { httpOnly: false },
  'source.serviceAccount': { httpOnly: false },
  'source.trustDomain': { httpOnly: false },
  'request.auth.principal': { httpOnly: true },
  'request.auth.audiences': { httpOnly: true },
  'request.auth.presenter': { httpOnly: true },
  'destination.ip': { httpOnly: false },
  'destination.port': { httpOnly: false },
  'connection.sni': { httpOnly: false },
};

function isPlain(key: string): key is PlainConditionKey {
  return Object.hasOwn(plain, key);
}

/** @throws CitadelError InvalidArgument for what is no key of the language; whoever read the policy has refused it */
export function conditionSubject(key: string): ConditionSubject {
  if (isPlain(key)) return { kind: key };
  const header = /^request\.headers\[([^[\]]+)\]$/.exec(key)?.[1];
  if (header !== undefined) return { kind: 'header', name: header.toLowerCase() };
  const claims = /^request\.auth\.claims((?:\[[^[\]]+\])+)$/.exec(key)?.[1];
  if (claims !== undefined) {
    const [first, ...rest] = claims.slice(1, -1).split('][');
    if (first !== undefined) return { kind: 'claim', path: [first, ...rest] };
  }
  const [, filter, name] = /^experimental\.(envoy\.filters\.[^[\]]+)\[([^[\]]+)\]$/.exec(key) ?? [];
  if (filter !== undefined && name !== undefined) return { kind: 'metadata', filter, name };
  throw new CitadelError('InvalidArgument', `${JSON.stringify(key)} is no key of a condition`);
}

/** Whether only a proxy that reads HTTP knows the attribute; metadata there is of both, each filter's in its own. */
export function isHttpOnly(key: ConditionSubject): boolean {
  if (key.kind === 'metadata') return false;
  return key.kind === 'header' || key.kind === 'claim' || plain[key.kind].httpOnly;
}
