import { describe, expect, it } from 'vitest';
import { judgeByEnvoy } from '../../src/cli/policy-testing/envoy.ts';
import { readPolicies, readPolicyTests, runPolicyTest, withPolicies } from '../../src/domain/policy/index.ts';
import { hasPart, requirePart } from '../parts/index.ts';

const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web", "other.example/*"] } }]
      to: [{ operation: { methods: [GET], paths: ["/orders/{*}"], hosts: ["orders.shop"] } }]
    - from: [{ source: { ipBlocks: ["127.1.0.0/16"] } }]
      when: [{ key: "request.headers[x-tag]", values: [b] }, { key: remote.ip, values: ["192.0.2.0/24"] }]
    - when: [{ key: "request.auth.claims[groups]", values: [clerks] }]
    - to: [{ operation: { ports: ["8081"] } }]
      when: [{ key: connection.sni, values: ["sni.example"] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: asks, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  action: CUSTOM
  provider: { name: ext }
  rules: [{ to: [{ operation: { paths: ["/asked*"] } }] }]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: accounts, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  jwtRules:
    - { issuer: "https://a.example", audiences: [orders], jwksUri: "https://a.example/keys", fromHeaders: [{ name: x-token, prefix: "T " }] }
    - { issuer: "https://b.example", jwksUri: "https://b.example/keys" }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { selector: { matchLabels: { app: closed } }, mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: "off", namespace: shop }
spec: { selector: { matchLabels: { app: open } }, mtls: { mode: DISABLE } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: open, namespace: shop }
spec: { selector: { matchLabels: { app: open } }, action: DENY, rules: [{ from: [{ source: { notPrincipals: ["*"] } }] }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: database, namespace: shop }
spec:
  selector: { matchLabels: { app: database } }
  rules: [{ from: [{ source: { namespaces: [shop] } }], to: [{ operation: { ports: ["5432"] } }] }]
`;

const clerk = '{ iss: "https://b.example", sub: ann, groups: [clerks, staff] }';
const test = `
apiVersion: citadel.dev/v1
kind: PolicyTest
metadata: { name: t, namespace: shop }
spec:
  mesh: { trustDomain: example.org, providers: [ext] }
  workloads:
    - { name: orders, ports: [{ port: 8080 }, { port: 8081 }] }
    - { name: closed }
    - { name: open }
    - { name: database, ports: [{ port: 5432, protocol: tcp }] }
  defaults: { from: web, to: "orders:8080", method: GET, path: /orders/1, host: orders.shop, ip: 127.0.0.1, custom: { ext: allow } }
  cases:
    - { name: a template, expect: allowed, by: "shop/callers[0]" }
    - { name: a template is one segment, path: /orders/1/2, expect: denied }
    - { name: a path that is made canonical, path: "/x/../orders//1", expect: allowed }
    - { name: a path that is none, path: "/orders/%c0%af", expect: denied }
    - { name: another host, host: other, expect: denied }
    - { name: a host in capitals, host: ORDERS.shop, expect: allowed }
    - { name: another mesh, from: "spiffe://other.example/x", expect: allowed }
    - { name: others, from: [cron, plaintext], method: [GET, BREW], expect: denied }
    - { name: an address, from: plaintext, ip: 127.1.2.3, remoteIp: 192.0.2.9, headers: { x-tag: [a, b] }, expect: allowed, by: "shop/callers[1]" }
    - { name: another address, from: plaintext, ip: 127.2.2.3, remoteIp: 192.0.2.9, headers: { x-tag: b }, expect: denied }
    - { name: no forwarding, from: plaintext, ip: 127.1.2.3, headers: { x-tag: b }, expect: denied }
    - { name: an address of elsewhere, from: plaintext, ip: 10.9.9.9, expect: denied }
    - { name: a token, from: cron, jwt: ${clerk}, expect: allowed, by: "shop/callers[2]" }
    - { name: a token in a header of its own, from: cron, jwt: { iss: "https://a.example", sub: x, aud: orders, groups: clerks }, expect: allowed }
    - { name: a token for others, from: cron, jwt: { iss: "https://a.example", sub: x, aud: y }, expect: denied }
    - { name: a token of nobody, jwt: { iss: "https://c.example", sub: x }, expect: unauthorized }
    - { name: a token that has ended, jwt: { iss: "https://b.example", sub: x, exp: 1 }, expect: unauthorized }
    - { name: a token that nobody signed, jwt: invalid, expect: unauthorized }
    - { name: a provider says no, path: /asked, from: cron, jwt: ${clerk}, custom: { ext: deny }, expect: denied, by: "shop/asks[0]" }
    - { name: a provider says yes, path: /asked, from: cron, jwt: ${clerk}, custom: { ext: allow }, expect: allowed }
    - { name: another port, to: "orders:8081", from: "spiffe://y.example/z", sni: sni.example, expect: allowed, by: "shop/callers[3]" }
    - { name: another server's name, to: "orders:8081", from: "spiffe://y.example/z", sni: other.example, expect: denied }
    - { name: strict, to: closed, expect: allowed }
    - { name: strict against plaintext, to: closed, from: plaintext, expect: refused }
    - { name: no mutual TLS, to: open, expect: denied, by: "shop/open[0]" }
    - { name: a connection, to: database, expect: allowed }
    - { name: a connection of others, to: database, from: [x/web, plaintext], expect: denied }
`;

describe.skipIf(!hasPart('envoy'))('citadel policy test --envoy', () => {
  const reading = readPolicies(policies, { source: 'P' });
  const { tests, problems } = readPolicyTests(test, 'T');

  it('decides each call as the policies are read', async () => {
    expect([...reading.problems, ...problems]).toEqual([]);
    const [first] = tests;
    if (first?.world.kind !== 'inline') throw new Error('has no world');
    const world = withPolicies(first.world.world, reading.policies);
    const run = runPolicyTest(first, world, new Date());
    expect(run.cases.flatMap(({ failures }) => failures)).toEqual([]);
    const judged = await judgeByEnvoy(run, world, requirePart('envoy'));
    expect(judged.cases.flatMap(({ failures }) => failures)).toEqual([]);
    // Nobody here can call from elsewhere where policies look at it.
    expect(judged.skipped).toBe(1);

    // An Envoy that is told nothing of policies decides otherwise, which is a failure of each case that it is about.
    const told = {
      ...run,
      made: run.made.map((each) => ({ ...each, callees: { ...each.callees, policies: [] } })),
    };
    const other = await judgeByEnvoy(told, world, requirePart('envoy'));
    const names = (failing: boolean) =>
      other.cases.filter(({ failures }) => failures.length > 0 === failing).map(({ name }) => name);
    expect(names(false)).toEqual(
      first.cases.filter(({ expect: expected }) => expected === 'allowed').map(({ name }) => name),
    );
    expect(other.cases.find(({ name }) => name === 'a connection of others')?.failures).toEqual([
      'a connection from x/web to shop/database:5432: Envoy lets the connection in, but it is decided as denied: no rule of an ALLOW matches; nearest is shop/database[0], which misses by namespaces',
      expect.stringContaining('a connection from plaintext'),
    ]);
  }, 60_000);

  it('says when there is no such program', async () => {
    const [first] = tests;
    if (first?.world.kind !== 'inline') throw new Error('has no world');
    const { world } = first.world;
    await expect(judgeByEnvoy(runPolicyTest(first, world, new Date()), world, '/none')).rejects.toThrow(
      'cannot run /none',
    );
  });
});
