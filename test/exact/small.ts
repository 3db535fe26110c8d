import {
  type AuthorizationPolicy,
  type AuthorizationRule,
  type Condition,
  type OperationMatch,
  policyObject,
  readPolicy,
  type SourceMatch,
} from '../../src/domain/policy/index.ts';
import type { Random } from '../oracle/generate/index.ts';

type Maker = (random: Random) => string;
/** Where a list stands: in a source, in an operation, or in a condition of this key. */
type Kind =
  | { readonly part: 'from' | 'to'; readonly name: string; readonly make: Maker }
  | { readonly part: 'when'; readonly name: string; readonly make: Maker };

/** Of one text all that a list's string can be, in words so short that many meet. */
function stringsOf(...bases: readonly string[]): Maker {
  return (random) => {
    const base = random.pick(bases);
    const cut = 1 + random.int(base.length);
    return random.weighted([
      [4, base],
      [3, `${base.slice(0, cut)}*`],
      [3, `*${base.slice(base.length - cut)}`],
      [1, '*'],
      [1, `*${base.slice(base.length - cut)}*`],
      [1, base.toUpperCase()],
    ]);
  };
}

const oneOf =
  (...texts: readonly string[]): Maker =>
  (random) =>
    random.pick(texts);

const domains = ['mesh.test', 'old.test', 'cluster.local', 'other.test'];
const principals: Maker = (random) => {
  const made = stringsOf(`${random.pick(domains)}/ns/${random.pick(['shop', 'bank'])}/sa/web`)(random);
  return random.chance(0.1) ? `*${random.pick(['.test', '/ns/shop/sa/web', '/sa/web'])}` : made;
};
const paths: Maker = (random) =>
  random.chance(0.4)
    ? random.pick(['/a/{*}', '/{**}', '/a/{**}', '/{*}/b', '/{*}', '/a/{*}/b', '/{*}/{**}', '/a/{**}/b'])
    : stringsOf('/', '/a', '/a/b', '/ab', '/a/')(random);
const v4 = oneOf('10.0.0.0/8', '10.0.0.0/9', '10.128.0.0/9', '10.0.0.1', '0.0.0.0/0', '10.0.0.0/31');
const v6 = oneOf('2001:db8::/32', '2001:db8::/33', '::/0', '2001:db8::1', '10.0.0.0/8');
const list =
  (make: Maker): Maker =>
  (random) =>
    random.chance(0.5) ? `[${make(random)}]` : make(random);

const kinds: readonly Kind[] = [
  { part: 'from', name: 'principals', make: principals },
  { part: 'from', name: 'requestPrincipals', make: stringsOf('i/s', 'i/a/s', 'a/i/s') },
  { part: 'from', name: 'namespaces', make: stringsOf('shop', 'shops', 'bank') },
  { part: 'from', name: 'serviceAccounts', make: oneOf('web', 'shop/web', 'bank/web', 'cron') },
  { part: 'from', name: 'trustDomains', make: oneOf(...domains, 'm*', '*.test', '*') },
  { part: 'from', name: 'ipBlocks', make: (random) => random.pick([v4, v6])(random) },
  { part: 'from', name: 'remoteIpBlocks', make: (random) => random.pick([v4, v6])(random) },
  { part: 'to', name: 'hosts', make: stringsOf('cart.shop', 'Cart.shop', 'cart.shop:80') },
  { part: 'to', name: 'ports', make: oneOf('8080', '9000', '80', '7000') },
  { part: 'to', name: 'methods', make: stringsOf('GET', 'GETX', 'POST') },
  { part: 'to', name: 'paths', make: paths },
  { part: 'to', name: 'paths', make: paths },
  { part: 'when', name: 'request.headers[x-a]', make: stringsOf('gold', 'go', 'old') },
  { part: 'when', name: 'request.headers[x-b]', make: stringsOf('gold', 'go') },
  { part: 'when', name: 'request.headers[content-type]', make: stringsOf('a,b', 'a', 'b') },
  { part: 'when', name: 'request.headers[:path]', make: stringsOf('/a', '/a?q=1', '/a/b') },
  { part: 'when', name: 'request.headers[:method]', make: stringsOf('GET', 'POST') },
  { part: 'when', name: 'request.headers[Host]', make: stringsOf('cart.shop', 'Cart.shop') },
  { part: 'when', name: 'request.auth.principal', make: stringsOf('i/s', 'i/a/s') },
  { part: 'when', name: 'request.auth.audiences', make: stringsOf('shop', 'shops') },
  { part: 'when', name: 'request.auth.presenter', make: stringsOf('app') },
  { part: 'when', name: 'request.auth.claims[g]', make: stringsOf('read', 'rea', 'ead') },
  { part: 'when', name: 'request.auth.claims[g][h]', make: stringsOf('read', 'write') },
  { part: 'when', name: 'request.auth.claims[scope]', make: stringsOf('read', 'read write') },
  { part: 'when', name: 'request.auth.claims[iss]', make: stringsOf('i', 'i/a') },
  { part: 'when', name: 'source.ip', make: v4 },
  { part: 'when', name: 'remote.ip', make: v6 },
  { part: 'when', name: 'source.principal', make: principals },
  { part: 'when', name: 'source.namespace', make: stringsOf('shop', 'bank') },
  { part: 'when', name: 'source.serviceAccount', make: oneOf('web', 'bank/web') },
  { part: 'when', name: 'source.trustDomain', make: oneOf(...domains, '*test') },
  { part: 'when', name: 'destination.ip', make: oneOf('10.9.9.9', '10.9.9.0/24', '10.9.0.0/16', '::/0') },
  { part: 'when', name: 'destination.port', make: oneOf('8080', '9000', '7000') },
  { part: 'when', name: 'connection.sni', make: stringsOf('cart.shop', 'CART', 'shop') },
  { part: 'when', name: 'experimental.envoy.filters.http.x[tier]', make: list(stringsOf('gold', 'go')) },
];

/** A few kinds of lists, so that all requests about them can be tried. @param turn each kind has its turn to be among them */
export function someKinds(random: Random, turn: number): readonly Kind[] {
  const others = random.list(0, 2, () => random.pick(kinds));
  return [...kinds.slice(turn % kinds.length).slice(0, 1), ...others];
}

/** Policies as an author could write them, with only these kinds of lists in them. */
export function smallPolicies(random: Random, some: readonly Kind[]): readonly AuthorizationPolicy[] {
  return random
    .list(1, 3, () => 0)
    .flatMap((_, index) => {
      const made = smallPolicy(random, some, `p${index}`);
      return isWritable(made) ? [made] : [];
    });
}

export function isWritable(policy: AuthorizationPolicy): boolean {
  return readPolicy(policyObject(policy), { source: 'T' }).problems.length === 0;
}

function smallPolicy(random: Random, some: readonly Kind[], name: string): AuthorizationPolicy {
  const action = random.weighted([
    [8, 'ALLOW' as const],
    [6, 'DENY' as const],
    [1, 'AUDIT' as const],
    [3, 'CUSTOM' as const],
  ]);
  return {
    kind: 'AuthorizationPolicy',
    meta: {
      namespace: random.weighted([
        [6, 'shop'],
        [1, 'root'],
        [1, 'bank'],
      ]),
      name,
      generation: 1,
      origin: { source: 'T' },
    },
    selector: random.chance(0.15) ? { app: 'orders' } : undefined,
    targetRefs: [],
    action,
    provider: action === 'CUSTOM' ? random.pick(['one', 'two', 'nobody']) : undefined,
    dryRun: random.chance(0.05),
    rules: random.chance(0.06) ? [] : random.list(1, 3, () => rule(random, some)),
  };
}

function rule(random: Random, some: readonly Kind[]): AuthorizationRule {
  const of = (part: Kind['part']) => some.filter((kind) => kind.part === part);
  const parts = (part: Kind['part']) =>
    of(part).length > 0 && random.chance(0.7) ? random.list(1, 2, () => lists(random, of(part))) : [];
  return {
    // Names of fields are those of their part.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    from: parts('from').map((own) => ({ ...noSource, ...own }) as unknown as SourceMatch),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    to: parts('to').map((own) => ({ ...noOperation, ...own }) as unknown as OperationMatch),
    when: of('when').flatMap((kind) => (random.chance(0.6) ? [condition(random, kind)] : [])),
  };
}

function lists(random: Random, some: readonly Kind[]): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {};
  for (const { name, make } of [random.pick(some), ...some.filter(() => random.chance(0.5))]) {
    const { values, notValues } = filled(random, make);
    found[name] = values;
    found[`not${name.charAt(0).toUpperCase()}${name.slice(1)}`] = notValues;
  }
  return found;
}

function condition(random: Random, { name, make }: Kind): Condition {
  return { key: name, ...filled(random, make) };
}

function filled(random: Random, make: Maker): Pick<Condition, 'values' | 'notValues'> {
  const how = random.int(8);
  const draw = () => make(random);
  return {
    values: how < 3 ? [] : random.list(1, 2, draw),
    notValues: how > 3 ? [] : random.list(1, 2, draw),
  };
}

const pairs = (...names: readonly string[]) =>
  Object.fromEntries(
    names.flatMap((name) => [
      [name, []],
      [`not${name.charAt(0).toUpperCase()}${name.slice(1)}`, []],
    ]),
  );
const ofPart = (part: Kind['part']) => kinds.flatMap((kind) => (kind.part === part ? [kind.name] : []));
const noSource = pairs(...ofPart('from'));
const noOperation = pairs(...ofPart('to'));
