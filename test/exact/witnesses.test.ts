import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareWorlds, type Difference } from '../../src/domain/policy/exact/index.ts';
import type { PolicyRequest } from '../../src/domain/policy/index.ts';
import { Coverage, Random } from '../oracle/generate/index.ts';
import { freePort, hasPart } from '../parts/index.ts';
import { type Asker, createAsker } from './envoy/asked.ts';
import { otherwiseReadPair, type SendablePair, sendablePair } from './envoy/pairs.ts';
import { sendable } from './envoy/sendable.ts';
import { Decider } from './place.ts';
import { told } from './told.ts';

const seed = 20_261_129;
const pairs = 300;
/** Of one pair of worlds; more say little that is new. */
const mostWitnesses = 2;

interface Sent {
  readonly pair: SendablePair;
  readonly difference: Difference;
  readonly request: PolicyRequest;
}

describe.skipIf(!hasPart('envoy'))('witnesses, sent to two real Envoys', () => {
  let asker: Asker;
  beforeAll(async () => {
    asker = await createAsker();
  });
  afterAll(() => asker[Symbol.asyncDispose]());

  test('are decided as the engine says by the policies before and by those after, of every kind', async () => {
    const random = new Random(seed);
    const ports = { http: await freePort(), tcp: await freePort() };
    const coverage = new Coverage();
    const made = Array.from({ length: pairs }, () => sendablePair(random, ports))
      .map((pair) => sentOf(pair, coverage))
      .filter((each) => each.length > 0);
    const sent = made.flatMap((each, set) => each.map((one) => ({ ...one, set })));
    const ask = (side: keyof SendablePair) =>
      asker.ask(
        made.map(([one]) => one?.pair[side].policies ?? []),
        sent,
        ports,
      );
    const [before, after] = [await ask('before'), await ask('after')];
    const wrong = sent.flatMap(({ pair, difference, request }, at) => {
      const is = difference.becomes === 'allowed';
      if (before[at] !== is && after[at] === is) return [];
      const { becomes, region } = difference;
      const what = `becomes ${becomes}, and Envoy says ${before[at]}, then ${after[at]}`;
      return [[what, JSON.stringify({ request, region }), told(pair.before), told(pair.after)].join('\n')];
    });
    console.log(`${sent.length} witnesses\n${coverage.report()}`);
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(wrong).toHaveLength(0);
    expect(coverage.missing(everyKind)).toEqual([]);
  }, 180_000);

  test('of a port that is read as HTTP before alone: requests, and bytes that are none', async () => {
    const random = new Random(seed + 1);
    const ports = { http: await freePort(), tcp: await freePort() };
    const asked = Array.from({ length: 80 }, () => otherwiseReadPair(random, ports)).map((pair) =>
      compareWorlds(pair.before, pair.after).differences.flatMap((difference) => {
        const request = sendable(difference);
        // Which policies bytes are for is said by the address that they are sent to.
        const isFree = difference.region.constraints.every(
          ({ attribute }) => attribute.kind !== 'destinationIp',
        );
        const isSent = request !== undefined && isFree && !request.sourceIp.includes(':');
        return isSent && isPlain(request) ? [{ pair, difference, request }] : [];
      }),
    );
    const sets = asked.flatMap((each) => each.slice(0, 1).map(({ pair }) => pair.before.policies));
    const sent = asked
      .filter((each) => each.length > 0)
      .flatMap((each, set) => each.map((one) => ({ ...one, set })));
    const questions = sent.flatMap(({ request, set }) =>
      (['http', 'tcp'] as const).map((to) => ({ request, set, to })),
    );
    const answers = await asker.ask(sets, questions, ports);
    const wrong = sent.flatMap(({ pair, difference, request }, at) => {
      const said = [difference.before, difference.after].map(({ verdict }) => verdict === 'allow');
      const came = answers.slice(2 * at, 2 * at + 2);
      return JSON.stringify(said) === JSON.stringify(came)
        ? []
        : [JSON.stringify({ said, came, request, difference, told: told(pair.before) })];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
    const counted = (protocol: string) =>
      sent.filter(({ difference }) => difference.protocol === protocol).length;
    expect(counted('http')).toBeGreaterThan(30);
    expect(counted('tcp')).toBeGreaterThan(15);
  }, 60_000);
});

/** What HTTP/1.1 can say in a way that every proxy takes. */
function isPlain({ http }: PolicyRequest): boolean {
  return (
    http === undefined ||
    (/^(?:GET|POST|PUT|DELETE|PATCH|HEAD)$/.test(http.method) && /^[\w.:-]+$/.test(http.host))
  );
}

/** The witnesses of a pair that can be sent from here, still decided as is said. */
function sentOf(pair: SendablePair, coverage: Coverage): readonly Sent[] {
  const { differences } = compareWorlds(pair.before, pair.after);
  return differences.slice(0, mostWitnesses).flatMap((difference): Sent[] => {
    const request = sendable(difference);
    if (request === undefined) {
      coverage.count('not to be sent from here', difference.protocol);
      return [];
    }
    for (const { attribute, alternatives } of difference.region.constraints)
      for (const { matches, except } of alternatives) {
        if (matches.length > 0) coverage.count(difference.protocol, attribute.kind);
        if (except.length > 0) coverage.count(difference.protocol, `not ${attribute.kind}`);
      }
    coverage.count(difference.protocol, `becomes ${difference.becomes}`);
    const place = {
      workload: 'shop/cart',
      port: request.destinationPort,
      protocol: difference.protocol,
      isMixed: false,
      of: request.destinationPort,
    };
    const trial = { request, providers: difference.witness.providers };
    expect(new Decider(pair.after, place).allows(trial)).toBe(difference.becomes === 'allowed');
    return [{ pair, difference, request }];
  });
}

const signed = (kinds: readonly string[]) => kinds.flatMap((kind) => [kind, `not ${kind}`]);
const everyKind = {
  http: [
    ...signed([
      'source',
      'method',
      'host',
      'path',
      'sni',
      'header',
      'token',
      'claim',
      'metadata',
      'remoteIp',
    ]),
    ...signed(['sourceIp', 'destinationIp', 'provider']),
    'becomes allowed',
    'becomes denied',
  ],
  tcp: [...signed(['source', 'sni']), 'sourceIp', 'becomes allowed', 'becomes denied'],
};
