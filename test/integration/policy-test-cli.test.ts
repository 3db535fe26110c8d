import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProcess, type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';

const policies = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web-reads, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - from:
        - source: { serviceAccounts: [web, cron] }
      to:
        - operation: { methods: [GET], paths: ["/orders/*"] }
`;

const test = (cases: string, head = 'policies: [policies.yaml]\n  workloads: [{ name: orders }]') => `---
apiVersion: citadel.dev/v1
kind: PolicyTest
metadata: { name: orders, namespace: shop }
spec:
  ${head}
  defaults: { from: web, to: orders, method: GET, path: /orders/42 }
  cases:
${cases}`;

const passing = '    - { name: web reads, expect: allowed, by: "shop/web-reads[0]" }\n';
const failing = '    - { name: "<web> & writes #1", method: [PUT], expect: allowed }\n';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory('policy-test');
  mkdirSync(directory.join('shop'));
  mkdirSync(directory.join('registry'));
  write('shop/policies.yaml', policies);
  write('shop/orders.yaml', test(passing));
  write(
    'registry/orders.yaml',
    `apiVersion: citadel.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop, labels: { app: orders } }
spec: { serviceAccount: orders, addresses: ["127.0.0.1"], ports: [{ port: 8080 }] }
---
${policies}`,
  );
});
afterAll(() => directory[Symbol.asyncDispose]());

function write(name: string, text: string): string {
  writeFileSync(directory.join(name), text);
  return name;
}

const citadel = (...args: readonly string[]) =>
  runCitadel(['policy', 'test', ...args], { directory: directory.path, home: 'home' });

describe('citadel policy test', () => {
  it('runs the tests of a directory beside the policies, and says what none exercises', async () => {
    const { code, stdout } = await citadel('shop');
    expect(stdout).toBe(`pass  orders: web reads
Not exercised by any case:
  shop/policies.yaml:7:7: shop/web-reads: spec.rules[0]: no case fails to match this rule
  shop/policies.yaml:8:44: shop/web-reads: spec.rules[0].from[0].source.serviceAccounts[1]: no case matches by "cron"
1 of 1 case passes; 66% of what the policies say is exercised
`);
    expect(code).toBe(0);
    const demanding = await citadel('shop', '--min-coverage', '67');
    expect(demanding).toMatchObject({ code: 1, stderr: 'Less than 67% is exercised.\n' });
    expect((await citadel('shop', '--min-coverage', '66')).code).toBe(0);
  });

  it('tells which call fails, by what and where, with exit code 3; as JUnit and TAP too', async () => {
    const file = write('shop/failing.yaml', test(passing + failing));
    const { code, stdout } = await citadel(file, '--tap', '--junit', 'junit.xml');
    expect(code).toBe(3);
    const message =
      'PUT /orders/42 from shop/web to shop/orders:8080: expected allowed, but it is denied - no rule of an ALLOW matches; nearest is shop/web-reads[0], which misses by methods';
    expect(stdout).toBe(`TAP version 14
1..2
ok 1 - orders: web reads
not ok 2 - orders: <web> & writes \\#1
  ---
  at: "shop/failing.yaml:11"
  failures:
    - "${message}"
  ...
`);
    expect(readFileSync(directory.join('junit.xml'), 'utf8')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1" errors="0">
  <testsuite name="orders" file="shop/failing.yaml" tests="2" failures="1" errors="0">
    <testcase classname="orders" name="web reads" file="shop/failing.yaml" line="10"/>
    <testcase classname="orders" name="&lt;web&gt; &amp; writes #1" file="shop/failing.yaml" line="11">
      <failure message="${message}">${message}</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
    const json: unknown = JSON.parse((await citadel(file, '-o', 'json')).stdout);
    expect(json).toMatchObject({ passed: 1, failed: 1, cases: [{ passed: true }, { failures: [message] }] });
  });

  it('takes its world from a registry, of the test or of the command line', async () => {
    // A test may lie in it: who reads the registry passes over it.
    const own = write('registry/orders.test.yaml', test(passing, 'registry: .'));
    // With the registry’s own policies, at the default trust domain.
    expect(await citadel(own)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 of 1 case passes'),
    });
    const given = write('shop/given.yaml', test(passing, 'policies: [policies.yaml]'));
    expect((await citadel(given, '--registry', 'registry', '--trust-domain', 'example.org')).code).toBe(0);
    const other = await citadel(given, '--registry', 'none');
    expect(other.code).toBe(2);
    expect(other.stdout).toContain(
      'shop/given.yaml: the test orders has no world: the registry none does not exist',
    );
  });

  it('runs nothing that is broken: exit code 2, file, line and column', async () => {
    const file = write('shop/broken.yaml', test(passing.replace('expect:', 'expects:')));
    expect(await citadel(file)).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('shop/broken.yaml:10:7: spec.cases[0].expect: is required'),
    });
    // As lint says, which runs nothing.
    const linted = await runCitadel(['policy', 'lint', file], { directory: directory.path, home: 'home' });
    expect(linted).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('shop/broken.yaml:10:7: spec.cases[0].expect: is required'),
    });
    write('shop/broken-policy.yml', policies.replace('rules', 'rule'));
    const broken = write(
      'shop/of-broken.yaml',
      test(passing, 'policies: [broken-policy.yml]\n  workloads: [{ name: orders }]'),
    );
    expect(await citadel(broken)).toMatchObject({
      code: 2,
      stdout: expect.stringContaining(
        'shop/broken-policy.yml:6:3: AuthorizationPolicy/shop/web-reads: spec.rule: unknown key',
      ),
    });
    mkdirSync(directory.join('untested'));
    write('untested/policies.yaml', policies);
    expect((await citadel('shop/policies.yaml')).stdout).toContain('shop/policies.yaml: holds no test');
    expect((await citadel('untested')).stdout).toContain('there is no test below untested');
    expect((await citadel('shop/none.yaml')).code).toBe(2);
  });

  it('watches: a change of the test, or of a policy, runs it again', async () => {
    mkdirSync(directory.join('watched'));
    write('watched/policies.yaml', policies);
    const file = write('watched/test.yaml', test(passing));
    await using running = await startProcess(
      join(import.meta.dirname, '../../scripts/citadel'),
      ['policy', 'test', file, '--watch'],
      { cwd: directory.path, readyWhen: /Waiting for changes/ },
    );
    expect(running.stdout()).toContain('1 of 1 case passes');
    write('watched/test.yaml', test(passing + failing));
    await running.line(/1 of 2 cases pass/);
    write('watched/policies.yaml', policies.replace('[GET]', '[GET, PUT]'));
    await running.line(/2 of 2 cases pass/);
  });
});
