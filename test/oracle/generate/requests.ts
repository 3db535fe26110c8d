import type { Claims } from '../../../src/domain/policy/index.ts';
import type { Bases } from './bases.ts';
import type { Coverage } from './coverage.ts';
import type { Random } from './random.ts';
import { spelled } from './spelling.ts';
import * as words from './words.ts';

/** A way to connect: all that a connection's requests have in common. */
export interface Connection {
  readonly tls: boolean;
  readonly identity: string | undefined;
  readonly sni: string | undefined;
  readonly sourceIp: string;
  readonly destinationIp: string;
  readonly port: number;
}

export interface Call {
  readonly connection: Connection;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What `X-Forwarded-For` says; nobody forwarded without it. */
  readonly clientIp: string | undefined;
  /** An index of the tokens that there are. */
  readonly token: number | undefined;
  /** What a filter leaves for the policies, by name. */
  readonly metadata: Claims;
}

export function connections(random: Random, ports: readonly number[], count: number): readonly Connection[] {
  return Array.from({ length: count }, (_, index) => {
    const tls = random.chance(0.8);
    const sourceIp = random.pick(words.sourceAddresses);
    const own = words.identities[index % words.identities.length];
    return {
      tls,
      identity: tls && random.chance(0.9) ? own : undefined,
      sni: tls && random.chance(0.8) ? random.pick(words.serverNames) : undefined,
      sourceIp,
      destinationIp: random.pick(
        words.destinationAddresses.filter((address) => address.includes(':') === sourceIp.includes(':')),
      ),
      port: random.pick(ports),
    };
  });
}

export function aimedConnection(random: Random, bases: Bases, all: readonly Connection[]): Connection {
  const identity = bases.aim(random, 'identity', words.identities);
  const sourceIp = bases.aim(random, 'sourceIp', words.sourceAddresses);
  const port = Number(bases.aim(random, 'port', ['0']));
  const fits = [
    (each: Connection) => each.identity === identity && each.port === port && each.sourceIp === sourceIp,
    (each: Connection) => each.identity === identity,
    (each: Connection) => each.sourceIp === sourceIp,
    () => true,
  ];
  const from = random.int(fits.length);
  for (const fit of fits.slice(from)) {
    const fitting = all.filter(fit);
    if (fitting.length > 0) return random.pick(fitting);
  }
  return random.pick(all);
}

export function call(
  random: Random,
  bases: Bases,
  all: readonly Connection[],
  tokens: number,
  coverage: Coverage,
): Call {
  const path = spelled(random, bases.aim(random, 'path', words.paths));
  coverage.count('request path', path.how);
  const headers = headersFor(random, bases);
  coverage.count('request headers', headers.length === 0 ? 'none' : headers.length === 1 ? 'one' : 'several');
  return {
    connection: aimedConnection(random, bases, all),
    method: bases.aim(random, 'method', words.methods),
    path: path.text,
    host: hostFor(random, bases.aim(random, 'host', words.hosts)),
    headers,
    clientIp: random.chance(0.6) ? bases.aim(random, 'remoteIp', words.clientAddresses) : undefined,
    token: random.chance(0.65) ? random.int(tokens) : undefined,
    metadata: metadataFor(random, bases),
  };
}

function metadataFor(random: Random, bases: Bases): Claims {
  const word = () => bases.aim(random, 'metadata', words.metadataWords);
  const value = () =>
    random.weighted<Claims[string]>([
      [5, word()],
      [5, random.list(0, 3, word)],
      [1, random.int(10)],
      [1, { gold: 'gold' }],
    ]);
  return Object.fromEntries(
    words.metadataNames.filter(() => random.chance(0.5)).map((name) => [name, value()]),
  );
}

function headersFor(random: Random, bases: Bases): Call['headers'] {
  const value = () => bases.aim(random, 'header', words.headerValues);
  return words.headerNames.flatMap((name) =>
    random.weighted<readonly (readonly [string, string])[]>([
      [4, []],
      [4, [[name, value()]]],
      [1, [[name.toUpperCase(), value()]]],
      [
        1,
        [
          [name, value()],
          [name, value()],
        ],
      ],
    ]),
  );
}

function hostFor(random: Random, host: string): string {
  return random.weighted([
    [8, host],
    [2, host.toUpperCase()],
    [1, `${host}:8080`],
    [1, `${host}.`],
    [1, host.replace(/(:\d+)?$/, '.$1')],
    [1, `x${host}`],
  ]);
}

/** Claims of tokens; the first of each issuer is plain. */
export function claimSets(random: Random, count: number): readonly Claims[] {
  return Array.from({ length: count }, (_, index) => {
    const claims: Record<string, Claims[string]> = {
      iss: words.issuers[index % words.issuers.length] ?? '',
      sub: random.pick(words.subjects),
      aud: random.weighted<Claims[string]>([
        [3, 'shop'],
        [2, ['bank', 'shop']],
        [1, 'shop/x'],
        [1, []],
      ]),
    };
    if (random.chance(0.15)) delete claims['sub'];
    if (random.chance(0.15)) delete claims['aud'];
    if (random.chance(0.6)) claims['azp'] = random.pick(['app', 'App', 'cli']);
    for (const [first = '', ...rest] of words.claimPaths.filter(() => random.chance(0.55))) {
      if (first === 'sub') continue;
      claims[first] = rest.length === 0 ? claimValue(random) : nested(random, claims[first], rest);
    }
    return claims;
  });
}

function nested(random: Random, into: Claims[string] | undefined, path: readonly string[]): Claims[string] {
  const [name, ...rest] = path;
  if (name === undefined) return claimValue(random);
  // What was looked at is an object of claims.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const object = typeof into === 'object' && into !== null && !Array.isArray(into) ? (into as Claims) : {};
  return { ...object, [name]: nested(random, object[name], rest) };
}

function claimValue(random: Random): Claims[string] {
  const word = () => random.pick([...words.claimWords, ...words.subjects]);
  return random.weighted<Claims[string]>([
    [6, word()],
    [4, random.list(0, 3, word)],
    [1, random.int(10)],
    [1, true],
    [1, null],
    [1, [word(), 7, { a: 'b' }, [word()]]],
    [1, { read: 'write' }],
  ]);
}
