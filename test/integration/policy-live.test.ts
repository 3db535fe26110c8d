import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newProviderKey, signToken } from '../fakes/jwks-server.ts';
import { type TemporaryDirectory, temporaryDirectory, waitFor } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { Editor } from '../support/editor.ts';
import { registryText } from '../support/registry.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/policy-ci.md'), 'utf8');
const issuer = 'https://ci.company.example';
const pipeline = newProviderKey();

const policy = (name: string, action: string, method: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ${name}
  namespace: shop
spec:
  action: ${action}
  rules:
    - to:
        - operation:
            methods: [${method}]
`;

let files: TemporaryDirectory;
let server: TestServer;
beforeAll(async () => {
  files = await temporaryDirectory('policy-live');
  const { kid, publicKey } = pipeline;
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid }] });
  server = await startTestServer(
    (directory) => {
      mkdirSync(join(directory, 'registry'));
      const workload = (name: string) => ({ name, ports: [{ port: 8080, application: 9080 }] });
      writeFileSync(join(directory, 'registry', 'shop.yaml'), registryText(['orders', 'web'].map(workload)));
      writeFileSync(join(directory, 'jwks.json'), jwks);
      const keys = { jwksFile: join(directory, 'jwks.json') };
      const roleClaim = { roles: { pipelines: 'viewer' } };
      return {
        mesh: { sources: { files: { directory: join(directory, 'registry') } } },
        operators: { oidc: [{ issuer, audience: 'citadel', keys, roleClaim }] },
      };
    },
    { directory: files.path },
  );
  write('roots.pem', server.app.authority.bundle().pem);
  await apply([
    policy('reads', 'ALLOW', 'GET'),
    policy('no-puts', 'DENY', 'GET'),
    policy('theirs', 'DENY', 'PATCH'),
  ]);
  await waitFor(() => server.app.controlPlane?.policies().length === 3, { what: 'the policies to hold' });
}, 60_000);
afterAll(() => files[Symbol.asyncDispose]());

function write(name: string, content: string): void {
  writeFileSync(join(server.directory, name), content);
}

async function apply(texts: readonly string[], remove: readonly string[] = []): Promise<void> {
  const policies = server.app.policies ?? expect.fail('no control plane');
  const change = {
    texts: texts.map((text) => ({ source: 'x', text })),
    remove: remove.map((name) => ({ kind: 'AuthorizationPolicy', namespace: 'shop', name }) as const),
  };
  const seen = (await policies.plan(change)).revision;
  await policies.apply(change, seen, { subject: 'operator:ann', proof: 'client-certificate' }, '');
}

const token = (groups: readonly string[]) => {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return signToken({ iss: issuer, aud: 'citadel', sub: 'job', exp, groups: [...groups] }, pipeline);
};

const address = () => `localhost:${server.app.operator.port}`;

describe('citadel policy check --against live', () => {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: server.directory,
      env: { PATH: process.env['PATH'], HOME: server.directory, GIT_CONFIG_NOSYSTEM: '1' },
    });
  const [, recipe = ''] = /^```sh run=live\n([\s\S]*?)^```/m.exec(page) ?? [];
  const check = (...args: readonly string[]) =>
    runCitadel(['policy', 'check', 'policies', '--against', 'live', ...args], {
      directory: server.directory,
      home: 'nobody',
    });
  const overTls = () => ['--server', address(), '--ca', 'roots.pem', '--token-file', 'token'];

  beforeAll(async () => {
    mkdirSync(join(server.directory, 'policies'));
    write('policies/reads.yaml', policy('reads', 'ALLOW', 'GET'));
    write('policies/no-puts.yaml', policy('no-puts', 'DENY', 'PUT'));
    git('init', '-qb', 'main', '.');
    git('add', 'policies');
    git('commit', '-qm', 'x');
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    git('rm', '-q', 'policies/no-puts.yaml');
    write('token', await token(['pipelines']));
  });

  it('tells by a pipeline’s token what a pull request deletes of what holds, as the recipe does', async () => {
    const env = { GITHUB_BASE_REF: 'main', CITADEL: address() };
    const script = `citadel() { ${join(root, 'scripts/citadel')} "$@"; }\n${recipe}`;
    await promisify(execFile)('bash', ['-ec', script], {
      timeout: 60_000,
      cwd: server.directory,
      env: { ...env, PATH: process.env['PATH'], CITADEL_HOME: join(server.directory, 'nobody') },
    });
    const summary = readFileSync(join(server.directory, 'summary.md'), 'utf8');
    expect(summary).toContain('| Becomes allowed | **1** |');
    expect(summary).toContain(
      '- `AuthorizationPolicy/shop/no-puts (store/AuthorizationPolicy/shop/no-puts:1)`\n  - `without it becomes allowed: method GET, ',
    );
    // Somebody has applied another text than main has.
    expect(summary).toContain(
      'live is not what git:origin/main...:policies says: AuthorizationPolicy/shop/no-puts',
    );
    // What others have live is not of this change.
    expect(summary).not.toContain('theirs');
  });

  it('takes away nothing, or all that is in no file', async () => {
    const stays = await check(...overTls());
    // What is live denies all that the one in the file allows.
    expect(stays.code).toBe(1);
    expect(stays.stdout).toContain('denied by AuthorizationPolicy/shop/no-puts, on every port of shop/');
    expect(stays.stdout).toContain('in none of the files, and staying: AuthorizationPolicy/shop/');
    const all = await check('--all', ...overTls(), '-o', 'json');
    expect(all.code).toBe(4);
    expect(JSON.parse(all.stdout)).toMatchObject({
      comparison: {
        removals: [
          { policy: 'AuthorizationPolicy/shop/no-puts', outcome: 'different' },
          // What it denies no ALLOW lets in.
          { policy: 'AuthorizationPolicy/shop/theirs', outcome: 'same' },
        ],
      },
    });
    const elsewhere = await check('--all-in', 'bank', ...overTls());
    expect(elsewhere).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('in namespace bank is nobody, and no policy'),
    });
  });

  it('fails where it may not ask, where nobody answers, and for options that would say nothing', async () => {
    write('stranger', await token([]));
    expect(await check('--server', address(), '--ca', 'roots.pem', '--token-file', 'stranger')).toMatchObject(
      { code: 77 },
    );
    expect(await check('--socket', 'none.sock')).toMatchObject({ code: 69, stdout: '' });
    expect(await check('--all', '--base', 'git:main', ...overTls())).toMatchObject({ code: 64 });
    expect(await check('--all-in', 'Shop', ...overTls())).toMatchObject({ code: 64 });
  });
});

// The last: it stops the server.
describe('citadel policy lsp with a server', () => {
  afterAll(() => server.stop());

  const selecting = (label: string, principal: string) =>
    policy('draft', 'ALLOW', 'PATCH').replace(
      'spec:\n',
      `spec:\n  selector: { matchLabels: { app: ${label} } }\n`,
    ) + `      from: [{ source: { principals: ["${principal}"] } }]\n`;

  it('knows what is there and what holds, sees changes, and goes on when the server is away', async () => {
    const home = 'author';
    const enrol = ['operator', 'enrol', '--name', 'ann', '--role', 'author', '--yes'];
    const socket = ['--socket', join(server.directory, 'operator.sock')];
    expect(await runCitadel([...enrol, ...socket], { directory: server.directory, home })).toMatchObject({
      code: 0,
    });
    const args = ['policy', 'lsp', '--server', address(), '--ca', 'roots.pem'];
    await using editor = new Editor(args, { directory: server.directory, home });
    await editor.start(selecting('none', '*'));
    await editor.diagnosed(['selector-matches-nothing']);
    editor.change(selecting('orders', 'example.org/ns/shop/sa/w'));
    expect(await editor.at('hover', 6, 4)).toMatchObject({
      contents: { value: expect.stringContaining('Holds for 1 workload: `shop/orders`.') },
    });
    expect(await editor.at('completion', 12, 63)).toMatchObject([{ label: 'example.org/ns/shop/sa/web' }]);

    // A DENY of all that this ALLOW lets in holds, until somebody else removes it.
    await editor.diagnosed(['allow-shadowed-by-deny']);
    await apply([], ['theirs']);
    await waitFor(() => server.app.controlPlane?.policies().length === 2, { what: 'it to hold no more' });
    editor.save();
    await editor.diagnosed([]);

    await server.stop();
    for (let saved = 0; saved < 3; saved++) editor.save();
    editor.change(selecting('none', '*').replace('rules', 'rule'));
    await waitFor(() => editor.logged().length > 0, { what: 'word of the server' });
    await editor.diagnosed(['spec.rule: unknown key; did you mean rules?']);
    editor.change(selecting('none', '*'));
    // By what was known last.
    await editor.diagnosed(['selector-matches-nothing']);
    expect(editor.logged()).toEqual([
      expect.stringMatching(/^what is there is not known; the last that was known is taken: .*localhost:\d+/),
    ]);
    expect(await editor.end()).toBe(0);
  });
});
