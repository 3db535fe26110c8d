import { describe, expect, test } from 'vitest';
import {
  compareWorlds,
  type Policy,
  type PolicyWorld,
  regionText,
} from '../../../../../src/domain/policy/index.ts';
import { ports, workload } from '../mesh.ts';
import { issuerOne, tokens } from './token-cases.ts';
import { allow, authorization, deny, from, to, when, worldOf } from './worlds.ts';

const web = 'example.org/ns/shop/sa/web';

/** The workload with one port, read so. */
function world(protocol: 'http' | 'tcp', policies: readonly Policy[], more: object = {}): PolicyWorld {
  const cart = workload('shop/cart', { ports: ports([8080, protocol]), ...more });
  return { ...worldOf(policies, { providers: ['asker'] }), workloads: new Map([[cart.id, cart]]) };
}

type Told = readonly [protocol: 'http' | 'tcp', becomes: 'allowed' | 'denied', region: string];

/** What changes where a port that was read as HTTP carries bytes; the contrary the other way round. */
const cases: readonly (readonly [name: string, policies: readonly Policy[], told: readonly Told[]])[] = [
  ['without policies: other bytes alone', [], [['tcp', 'allowed', 'every request']]],
  [
    'an ALLOW that asks for HTTP: requests lose it, and nothing else comes in',
    [allow({ ...from({ principals: [web] }), ...to({ methods: ['GET'] }) })],
    [['http', 'denied', `caller ${web}, method GET`]],
  ],
  [
    'a DENY that asks for HTTP: it takes all of the caller',
    [deny({ ...from({ principals: [web] }), ...when('request.headers[x-a]', '1') })],
    [
      ['http', 'denied', `caller ${web}, header x-a any but 1`],
      ['tcp', 'allowed', `caller any but ${web}`],
    ],
  ],
  [
    'callers alone: requests are decided alike',
    [allow(from({ principals: [web] }))],
    [['tcp', 'allowed', `caller ${web}`]],
  ],
  [
    'a client that others forward for, of whom a connection tells nothing',
    [allow(from({ remoteIpBlocks: ['192.0.2.0/24'] }))],
    [
      ['http', 'allowed', 'address 192.0.2.0/24, client address any but 192.0.2.0/24'],
      ['http', 'denied', 'address any but 192.0.2.0/24, client address 192.0.2.0/24'],
      ['tcp', 'allowed', 'client address 192.0.2.0/24'],
    ],
  ],
  [
    'an authorizer, who is asked about another thing',
    [authorization('CUSTOM', [{}], { provider: { name: 'asker' } })],
    [
      ['http', 'allowed', 'authorizer asker refuses, authorizer asker about the connection agrees'],
      ['http', 'denied', 'authorizer asker agrees, authorizer asker about the connection refuses'],
      ['tcp', 'allowed', 'authorizer asker agrees'],
    ],
  ],
  [
    'a server name, which nobody says without mutual TLS',
    [allow(when('connection.sni', '*'))],
    [['tcp', 'allowed', 'caller known by mutual TLS, server name *']],
  ],
];

describe('a port that is read as HTTP in one world alone', () => {
  for (const [name, policies, told] of cases) {
    test(name, () => {
      const found = compareWorlds(world('http', policies), world('tcp', policies));
      expect(found).toMatchObject({ complete: true, undecided: [] });
      expect(tableOf(found.differences)).toEqual(sorted(told));
      for (const { before, after, becomes, protocol, witness } of found.differences) {
        expect([before.verdict, after.verdict]).toEqual(
          becomes === 'allowed' ? ['deny', 'allow'] : ['allow', 'deny'],
        );
        expect(witness.request.http === undefined).toBe(protocol === 'tcp');
        if (protocol === 'tcp') expect(before.step).toBe('HTTP');
      }
      const back = compareWorlds(world('tcp', policies), world('http', policies));
      const turned = told.map(([protocol, becomes, region]): Told => {
        return [protocol, becomes === 'allowed' ? 'denied' : 'allowed', region];
      });
      expect(tableOf(back.differences)).toEqual(sorted(turned));
    });
  }

  test('a token that is not taken is but bytes there', () => {
    const policies = tokens([issuerOne]);
    const { differences } = compareWorlds(world('http', policies), world('tcp', policies));
    const requests = differences.filter(({ protocol }) => protocol === 'http');
    expect(requests.map(({ witness }) => witness.token?.signedBy)).toContain(undefined);
    for (const request of requests)
      expect(request).toMatchObject({
        becomes: 'allowed',
        before: { step: 'TOKEN' },
        after: { verdict: 'allow' },
        witness: { token: { place: expect.any(String) } },
        readAs: { before: 'http', after: 'tcp' },
      });
  });

  test('what filters leave is another thing there, and is not told', () => {
    const policies = [deny(when('experimental.envoy.filters.a[t]', 'gold'))];
    expect(compareWorlds(world('http', policies), world('tcp', policies))).toMatchObject({
      outcome: 'undecided',
      undecided: [{ reason: expect.stringMatching(/what filters leave/), policies: [expect.any(String)] }],
    });
  });
});

describe('what is there in one world alone', () => {
  test('a port that a proxy takes is not compared', () => {
    const some = world('http', [deny({})]);
    const other = world('http', [], { ports: ports([9000, 'http']) });
    expect(compareWorlds(some, other)).toMatchObject({
      outcome: 'same',
      proof: { groups: 0, unpairedPorts: 2 },
    });
  });
  test('a proxy: what came of policies before is not known', () => {
    const [some, other] = [world('http', [deny({})], { proxy: 'none' }), world('http', [deny({})])];
    expect(compareWorlds(some, other)).toMatchObject({
      outcome: 'undecided',
      undecided: [{ reason: expect.stringMatching(/a proxy in one of both alone/) }],
    });
  });
});

type Differences = ReturnType<typeof compareWorlds>['differences'];

function tableOf(differences: Differences): readonly Told[] {
  return sorted(differences.map(({ protocol, becomes, region }) => [protocol, becomes, regionText(region)]));
}

function sorted(told: readonly Told[]): readonly Told[] {
  return told.toSorted((a, b) => (a.join() < b.join() ? -1 : 1));
}
