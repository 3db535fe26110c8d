import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { runCitadel } from '../support/citadel.ts';
import { documentedSection } from '../support/documented.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'policy-diff-'));
  mkdirSync(join(directory, 'registry'));
  mkdirSync(join(directory, 'policies'));
  write(
    'registry/orders.yaml',
    `apiVersion: citadel.dev/v1
kind: Workload
metadata: { namespace: shop, name: orders-1, labels: { app: orders } }
spec: { serviceAccount: orders, addresses: [10.0.0.7], proxy: capture, ports: [{ port: 8080, protocol: http }] }
`,
  );
  write('policies/orders.yaml', policy('orders', '["/orders/*"]', '["GET"]'));
  write(
    'split.yaml',
    `${policy('one', '["/orders/*"]', '["GET"]')}---\n${policy('two', '["/orders/1"]', '["GET"]')}`,
  );
  write('wider.yaml', policy('orders', '["/orders/*", "/status"]', '["GET"]'));
  write('tokens.yaml', tokens('[]'));
  write('audience.yaml', tokens('[orders]'));
  write('broken.yaml', policy('orders', '[]', '["GET"]'));
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd: directory });
  git('init', '--quiet');
  git('add', 'policies');
  git('commit', '--quiet', '--message', 'first');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

function policy(name: string, paths: string, methods: string): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - from: [{ source: { serviceAccounts: ["web"] } }]
      to: [{ operation: { methods: ${methods}, paths: ${paths} } }]
`;
}

function tokens(audiences: string): string {
  return `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: accounts, namespace: shop }
spec:
  jwtRules: [{ issuer: "https://accounts.example", audiences: ${audiences}, jwksUri: "https://accounts.example/keys" }]
`;
}

const citadel = (...args: readonly string[]) => runCitadel(['policy', ...args], { directory, home: 'home' });
const diff = (...args: readonly string[]) => citadel('diff', ...args);
const registry = ['--registry', 'registry', '--trust-domain', 'example.org'];

test('the same in another form is no change, from git and from a file', async () => {
  const { code, stdout } = await diff('git:HEAD:policies', 'split.yaml', ...registry);
  expect(stdout).toContain('No change: whatever is asked is decided as before.');
  expect(code).toBe(0);
});

test('what changes is told in words, with a request that explain decides as is said', async () => {
  const told = await diff('git:HEAD:policies/orders.yaml', 'wider.yaml', ...registry);
  expect(told.code).toBe(1);
  expect(told.stdout).toContain(
    'Becomes allowed:\n  caller of service account shop/web, method GET, path /status',
  );
  expect(told.stdout).not.toContain('Becomes denied');
  const json = await diff('policies', 'wider.yaml', ...registry, '-o', 'json');
  const found = z
    .object({
      outcome: z.string(),
      differences: z.array(z.object({ becomes: z.string(), explain: z.string() })),
    })
    .parse(JSON.parse(json.stdout));
  expect(found).toMatchObject({ outcome: 'different', differences: [{ becomes: 'allowed' }] });
  const explain = (found.differences[0]?.explain ?? '').split(' ').slice(2);
  const as = async (file: string, verdict: string) =>
    (await citadel(...explain, file, ...registry, '--expect', verdict)).code;
  expect(await as('policies/orders.yaml', 'denied')).toBe(0);
  expect(await as('wider.yaml', 'allowed')).toBe(0);
});

test('where other tokens are taken it is told of which', async () => {
  const told = await diff('tokens.yaml', 'audience.yaml', ...registry);
  expect(told.code).toBe(1);
  expect(told.stdout).toContain(
    `Becomes denied:
  token in header authorization after "Bearer "; or query parameter access_token, signed by the keys of https://accounts.example/keys, token of issuer https://accounts.example, claim aud any but orders
`,
  );
  expect(told.stdout).toContain('after   refused: its token is not taken');
  expect(told.stdout).toMatch(
    /such as from .*, token \{"iss":"https:\/\/accounts.example".* signed by the keys of/,
  );
  const { stdout } = await diff('tokens.yaml', 'audience.yaml', ...registry, '-o', 'json');
  const { differences } = z
    .object({ differences: z.array(z.object({ explain: z.never().optional(), witness: z.unknown() })) })
    .parse(JSON.parse(stdout));
  expect(differences).toMatchObject([
    {
      witness: {
        token: {
          signedBy: 'the keys of https://accounts.example/keys',
          place: expect.any(String),
          claims: {},
        },
      },
    },
  ]);
});

test('without a registry it is said what was taken for workloads', async () => {
  const { code, stdout } = await diff('policies', 'wider.yaml', '--trust-domain', 'example.org');
  expect(code).toBe(1);
  expect(stdout).toContain('any workload of shop with app=orders, port 8080');
  expect(stdout).toContain('each namespace and selector that a policy names was taken for one');
});

test('what cannot be read is no answer', async () => {
  expect(await diff('policies', 'broken.yaml')).toMatchObject({ code: 2, stdout: '' });
  expect(await diff('git:--output=x', 'policies')).toMatchObject({ code: 2, stdout: '' });
  const { code, stderr } = await diff('git:nobody', 'policies');
  expect(stderr).toContain('git knows no commit nobody');
  expect(code).toBe(2);
});

test('the manual’s example prints what it shows', async () => {
  const { files, commands } = documentedSection('What a change changes');
  for (const { name, text } of files) write(name, text);
  expect(commands).toHaveLength(1);
  for (const { line, printed } of commands) {
    const { stdout, stderr, code } = await citadel(...line.split(' ').slice(1));
    expect({ stdout, stderr, code }).toEqual({ stdout: printed, stderr: '', code: 1 });
  }
});

test('says what is live and would go, for the other side does not name it', async () => {
  write('registry/live.yaml', policy('live', '["/live"]', '["GET"]'));
  const args = ['live', 'wider.yaml', ...registry];
  const alone = await diff(...args);
  expect(alone).toMatchObject({
    code: 1,
    stderr:
      'note: compared as removed, for wider.yaml does not have it: AuthorizationPolicy/shop/live; --over-live keeps it\n',
  });
  expect(await diff(...args, '--over-live')).toMatchObject({ code: 1, stderr: '' });
  rmSync(join(directory, 'registry/live.yaml'));
});
