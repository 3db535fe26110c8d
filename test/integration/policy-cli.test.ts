import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadWorld } from '../../src/cli/policy-world.ts';
import { readWorld } from '../../src/domain/policy/index.ts';
import { freePort, waitFor } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer((directory) => {
    mkdirSync(join(directory, 'registry'));
    return { mesh: { sources: { files: { directory: join(directory, 'registry') } } } };
  });
});
afterAll(() => server.stop());

const citadel = (...args: readonly string[]) =>
  runCitadel(args, { directory: server.directory, home: 'home' });
const socket = () => ['--socket', join(server.directory, 'operator.sock')];

function write(name: string, text: string): string {
  const file = join(server.directory, name);
  writeFileSync(file, text);
  return file;
}

const deny = (name: string, paths = '["/admin*"]') => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ${name}
  namespace: shop
spec:
  action: DENY
  rules:
    - to:
        - operation:
            paths: ${paths}
`;

const offline = {
  timeout: 10,
  trustDomain: 'example.org',
  trustDomainAlias: [],
  rootNamespace: 'istio-system',
  authorizationProvider: [],
};

describe('citadel policy apply', () => {
  it('says what it would do, and does it with --yes alone; twice is nothing', async () => {
    const file = write('a.yaml', deny('a'));
    const asked = await citadel('policy', 'apply', file, ...socket());
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('creates AuthorizationPolicy/shop/a');
    expect(asked.stderr).toContain('Nothing was done');

    const done = await citadel('policy', 'apply', file, ...socket(), '--yes', '--reason', 'ticket 7');
    expect(done).toMatchObject({ code: 0, stdout: 'Revision 1: 1 policy changed.\n' });
    // Another order of keys and another layout say the same.
    const same = write(
      'same.json',
      JSON.stringify({
        kind: 'AuthorizationPolicy',
        spec: { rules: [{ to: [{ operation: { paths: ['/admin*'] } }] }], action: 'DENY' },
        metadata: { namespace: 'shop', name: 'a' },
        apiVersion: 'security.istio.io/v1',
      }),
    );
    const again = await citadel('policy', 'apply', same, ...socket(), '--yes');
    expect(again).toMatchObject({ code: 0, stdout: 'Nothing changes: these policies hold already.\n' });
  });

  it('says that there is nothing to apply, and warns once', async () => {
    const nothing = await citadel('policy', 'apply', write('empty.yaml', '# none\n'), ...socket(), '--yes');
    expect(nothing.code).toBe(64);
    expect(nothing.stderr).toContain('there is no policy in what was given');
    const odd = write('odd.yaml', deny('odd').replace('shop', 'elsewhere'));
    const { stderr } = await citadel('policy', 'apply', odd, ...socket(), '--yes');
    expect(stderr.match(/no workload in the namespace elsewhere/g)).toHaveLength(1);
    expect(
      (await citadel('policy', 'remove', 'AuthorizationPolicy/elsewhere/odd', ...socket(), '--yes')).code,
    ).toBe(0);
  });

  it('applies all of its files or none, and tells file, line, field and mend', async () => {
    const good = write('good.yaml', deny('good'));
    const bad = write('bad.yaml', deny('bad').replace('paths', 'path'));
    const refused = await citadel('policy', 'apply', good, bad, ...socket(), '--yes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /bad\.yaml:11:13: AuthorizationPolicy\/shop\/bad: spec\.rules\[0\]\.to\[0\]\.operation\.path: unknown key; did you mean paths\?/,
    );
    const { stdout } = await citadel('policy', 'status', ...socket(), '-o', 'json');
    expect(stdout).not.toContain('good');
  });

  it('warns of what is legal but surely not meant, with its place', async () => {
    const file = write(
      'nobody.yaml',
      deny('nobody').replace('spec:', 'spec:\n  selector: {matchLabels: {app: none}}'),
    );
    const asked = await citadel('policy', 'apply', file, ...socket());
    expect(asked.stderr).toMatch(
      /warning: .*nobody\.yaml:7:\d+: AuthorizationPolicy\/shop\/nobody: spec\.selector/,
    );
    expect(asked.stderr).toContain('creates AuthorizationPolicy/shop/nobody');
  });

  it('is in the history and in the audit record: who, what, why', async () => {
    const { stdout } = await citadel('policy', 'history', ...socket());
    expect(stdout).toMatch(/1 +\d{4}-.* local:\d+ +AuthorizationPolicy\/shop\/a +ticket 7/);
    const { stdout: audit } = await citadel('audit', 'list', '--action', 'policy.apply', ...socket());
    expect(audit).toMatch(
      /policy\.apply +allowed +local:\d+ +local-socket +AuthorizationPolicy\/shop\/a +ticket 7/,
    );
  });

  it('removes what is kept here, and says when there is no such policy', async () => {
    const missing = await citadel('policy', 'remove', 'AuthorizationPolicy/shop/none', ...socket(), '--yes');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('AuthorizationPolicy/shop/none: is not kept here');
    const done = await citadel('policy', 'remove', 'AuthorizationPolicy/shop/a', ...socket(), '--yes');
    expect(done.code).toBe(0);
    expect((await citadel('policy', 'status', ...socket(), '-o', 'json')).stdout.trim()).toBe('[]');
    expect((await citadel('policy', 'remove', 'a', ...socket(), '--yes')).code).toBe(64);
  });

  it('fails for who did not see the last change', async () => {
    const policies = server.app.policies;
    const change = { texts: [{ source: 'x', text: deny('x') }], remove: [] };
    const seen = (await policies?.plan(change))?.revision ?? -1;
    const author = { subject: 'operator:ann', proof: 'client-certificate' };
    await policies?.apply(change, seen, author, '');
    const other = { texts: [{ source: 'y', text: deny('y') }], remove: [] };
    await expect(policies?.apply(other, seen, author, '')).rejects.toMatchObject({ code: 'Aborted' });
    const outcomes = (await server.app.store.audit.find({ action: 'policy.apply', limit: 10 })).items;
    expect(outcomes[0]).toMatchObject({
      subject: 'operator:ann',
      outcome: 'allowed',
      target: 'AuthorizationPolicy/shop/x',
    });
  });

  it.each([
    ['text', 'hello\n', 2, 'is no object with apiVersion, kind, metadata and spec'],
    ['another kind', 'apiVersion: apps/v1\nkind: Deployment\n', 2, '"Deployment" is no kind of policy'],
  ])('is refused where the file holds %s', async (_, text, code, told) => {
    const refused = await citadel('policy', 'apply', write('no-policy.yaml', text), ...socket(), '--yes');
    expect(refused).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(told) });
  });

  it('is refused without the role author, changes nothing, and is in the audit record', async () => {
    writeFileSync(join(server.directory, 'roots.pem'), server.app.authority.bundle().pem);
    const overTls = ['--server', `localhost:${server.app.operator.port}`, '--ca', 'roots.pem'];
    const as = (name: string, ...args: readonly string[]) =>
      runCitadel(args, { directory: server.directory, home: name });
    const file = write('by-role.yaml', deny('by-role'));
    for (const role of ['viewer', 'author']) {
      const enrolled = await as(
        role,
        'operator',
        'enrol',
        ...socket(),
        '--name',
        role,
        '--role',
        role,
        '--yes',
      );
      expect(enrolled.code).toBe(0);
    }
    const refused = await as('viewer', 'policy', 'apply', file, ...overTls, '--yes');
    expect(refused.code).toBe(77);
    expect(refused.stderr).toContain('this needs the role author; operator:viewer has viewer');
    const { items } = await server.app.store.audit.find({ action: 'operator.applyPolicies', limit: 10 });
    expect(items).toEqual([
      expect.objectContaining({
        action: 'operator.applyPolicies',
        outcome: 'refused',
        subject: 'operator:viewer',
        proof: 'client-certificate',
      }),
    ]);
    const others = [
      ['apply', file, '--shadow'],
      ['remove', 'AuthorizationPolicy/shop/x'],
      ['rollback', '0'],
    ];
    for (const { code, stderr } of await Promise.all(
      others.map((words) => as('viewer', 'policy', ...words, ...overTls, '--yes')),
    )) {
      expect(stderr).toContain('this needs the role author; operator:viewer has viewer');
      expect(code).toBe(77);
    }
    const status = await as('viewer', 'policy', 'status', ...overTls, '-o', 'json');
    expect(status.code).toBe(0);
    expect(status.stdout).not.toContain('by-role');
    const applied = await as('author', 'policy', 'apply', file, ...overTls, '--yes');
    expect(applied).toMatchObject({ code: 0 });
  });
});

describe('a policy of a name that a file of the registry has', () => {
  const file = () => join(server.directory, 'registry', 'owned.yaml');
  const plane = () => server.app.controlPlane ?? expect.fail('no control plane');
  const counts = (name: string) =>
    waitFor(
      () =>
        plane()
          .policies()
          .some(({ policy }) => policy.meta.name === name),
      {
        what: `${name} to count`,
      },
    );
  const shadowed = (some: boolean) =>
    waitFor(
      () =>
        plane()
          .sources()
          .some((source) => source.shadowed.length > 0) === some,
      {
        what: 'the conflict',
      },
    );

  it('is not applied, for it would have no effect: the plan says where the other one is', async () => {
    writeFileSync(file(), deny('owned'));
    await counts('owned');
    const own = write('own.yaml', deny('owned', '["/other"]'));
    const refused = await citadel('policy', 'apply', own, ...socket(), '--yes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(
      'creates AuthorizationPolicy/shop/owned without effect: the one of this name in owned.yaml:1 counts; change it there, or give this one another name',
    );
    const policies = server.app.policies ?? expect.fail('no control plane');
    const change = { texts: [{ source: 'own.yaml', text: deny('owned', '["/other"]') }], remove: [] };
    const { revision } = await policies.plan(change);
    await expect(
      policies.apply(change, revision, { subject: 'test', proof: 'test' }, ''),
    ).rejects.toMatchObject({ code: 'FailedPrecondition', message: expect.stringContaining('owned.yaml:1') });
    expect(await policies.plan(change)).toMatchObject({ revision });
  });

  it('stays where it was applied before, does not count, is told, and can be taken away', async () => {
    const before = write('before.yaml', deny('taken', '["/other"]'));
    expect(await citadel('policy', 'apply', before, ...socket(), '--yes')).toMatchObject({ code: 0 });
    writeFileSync(file(), deny('taken'));
    const told =
      'warning: AuthorizationPolicy/shop/taken of store/AuthorizationPolicy/shop/taken:1 does not count: that of owned.yaml:1 comes first, and says something else';
    await shadowed(true);
    expect((await citadel('policy', 'status', ...socket())).stderr).toContain(told);
    const json = await citadel('policy', 'status', '-o', 'json', ...socket());
    expect(json.stdout).toContain('"store/AuthorizationPolicy/shop/taken:1"');
    expect((await citadel('check', ...socket())).stdout).toContain(
      'does not count: AuthorizationPolicy/shop/taken',
    );
    const removed = await citadel('policy', 'remove', 'AuthorizationPolicy/shop/taken', ...socket(), '--yes');
    expect(removed).toMatchObject({ code: 0 });
    await shadowed(false);
    rmSync(file());
  });

  it('moves no cursor and no colour, whatever names it', async () => {
    const name = `\u001b[2J\u202e${'x'.repeat(3)}.yaml`;
    writeFileSync(join(server.directory, 'registry', name), 'kind: "\\e[31mGadget"\nmetadata: {name: x}\n');
    await waitFor(
      () =>
        plane()
          .sources()
          .some(({ rejected }) => rejected.length > 0),
      { what: 'the problem' },
    );
    for (const { stdout, stderr } of [
      await citadel('policy', 'status', ...socket()),
      await citadel('check', ...socket()),
      await citadel('policy', 'lint', join(server.directory, 'registry', name)),
    ]) {
      expect(stdout + stderr).toContain('xxx.yaml');
      expect(stdout + stderr).not.toContain('\u001b');
      expect(stdout + stderr).not.toContain('\u202e');
    }
    rmSync(join(server.directory, 'registry', name));
  });
});

describe('citadel policy lint and fmt, without a server', () => {
  it('judge files by themselves', async () => {
    const good = await citadel('policy', 'lint', write('lint-good.yaml', deny('good')));
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(
      /^warning: \S+lint-good\.yaml:\d+:\d+: \S+good: \S+paths\[0\]: .* \[path-case\]\n$/,
    );
    const allowed = deny('allowed').replace('DENY', 'ALLOW');
    expect(await citadel('policy', 'lint', write('lint-allowed.yaml', allowed))).toMatchObject({
      code: 0,
      stdout: '',
    });
    const bad = await citadel('policy', 'lint', write('lint-bad.yaml', 'kind: AuthorisationPolicy\n'));
    expect(bad.code).toBe(2);
    expect(bad.stdout).toContain('did you mean AuthorizationPolicy?');
    expect((await citadel('policy', 'lint', join(server.directory, 'none.yaml'))).code).toBe(2);
  });

  it('take directories with all below them, and standard input', async () => {
    mkdirSync(join(server.directory, 'policies/.git/below'), { recursive: true });
    mkdirSync(join(server.directory, 'policies/shop'));
    write('policies/shop/a.yml', deny('a').replace('paths', 'path'));
    write('policies/.git/below/x.yaml', 'kind: X');
    write('policies/readme.md', 'kind: Y');
    const found = await citadel('policy', 'lint', 'policies');
    expect(found.code).toBe(2);
    expect(found.stdout).toMatch(/^policies\/shop\/a\.yml:11:13: .*did you mean paths\?\n$/);
    mkdirSync(join(server.directory, 'nothing'));
    expect((await citadel('policy', 'lint', 'nothing')).stdout).toMatch(/^no file below nothing ends in/);
    const piped = await runCitadel(['policy', 'lint', '-'], {
      directory: server.directory,
      home: 'home',
      input: 'kind: X\n',
    });
    expect(piped.stdout).toMatch(/^standard input:1:7: kind/);
  });

  it('judge what they can read, and name what they cannot', async () => {
    const text = Buffer.from(deny('latin').replace('/admin', '/caf\xe9'), 'latin1');
    writeFileSync(join(server.directory, 'latin.yaml'), text);
    const files = ['gone.yaml', 'latin.yaml', write('kind.yaml', 'kind: X\n')];
    for (const command of ['lint', 'fmt']) {
      const { code, stdout, stderr } = await citadel('policy', command, ...files);
      expect(code).toBe(2);
      expect(stdout + stderr).toContain('the file gone.yaml does not exist\n');
      expect(stdout + stderr).toContain('the file latin.yaml is not UTF-8 text\n');
    }
    expect(readFileSync(join(server.directory, 'latin.yaml'))).toEqual(text);
    expect((await citadel('policy', 'lint', ...files)).stdout).toContain('kind.yaml:1:7: kind');
    const applied = await citadel(
      'policy',
      'apply',
      write('a.yaml', deny('a')),
      'gone.yaml',
      ...socket(),
      '--yes',
    );
    expect(applied).toMatchObject({ code: 2, stdout: '' });
  });

  it('write a file whole, in its mode, also by a link', async () => {
    const file = write('linked.yaml', deny('a').replace('kind:', 'kind:  '));
    chmodSync(file, 0o640);
    symlinkSync('linked.yaml', join(server.directory, 'link.yaml'));
    expect((await citadel('policy', 'fmt', 'link.yaml')).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(deny('a'));
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(lstatSync(join(server.directory, 'link.yaml')).isSymbolicLink()).toBe(true);
    expect(readdirSync(server.directory).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('write the one form, once', async () => {
    const file = write(
      'fmt.yaml',
      `# why\nkind: AuthorizationPolicy\napiVersion: security.istio.io/v1\nmetadata: {namespace: shop, name: a}\nspec: {action: DENY}\n`,
    );
    expect(await citadel('policy', 'fmt', '--check', file)).toMatchObject({
      code: 1,
      stdout: `${file}\n`,
      stderr: 'not in the one form; citadel policy fmt writes it\n',
    });
    expect(await citadel('policy', 'fmt', file)).toMatchObject({ code: 0, stdout: `${file}\n` });
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('# why');
    expect(text.indexOf('apiVersion')).toBeLessThan(text.indexOf('kind:'));
    expect(await citadel('policy', 'fmt', '--check', file)).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('a server without a control plane', () => {
  it('says that it has none', async () => {
    await using bare = await startTestServer();
    const outcome = await runCitadel(
      ['policy', 'status', '--socket', join(bare.directory, 'operator.sock')],
      {
        directory: bare.directory,
        home: 'home',
      },
    );
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('has no control plane: add mesh to its configuration');
  });
});

describe('a server that takes connections and says nothing', () => {
  it('is left in time, and so is the process', async () => {
    const port = await freePort();
    const silent = createServer(() => undefined).listen(port, '127.0.0.1');
    await once(silent, 'listening');
    writeFileSync(join(server.directory, 'roots.pem'), server.app.authority.bundle().pem);
    const given = ['--server', `127.0.0.1:${port}`, '--ca', 'roots.pem', '--timeout', '200ms'];
    try {
      const outcomes = await Promise.all([
        citadel('policy', 'status', ...given),
        citadel('policy', 'world', ...given),
      ]);
      expect(outcomes).toMatchObject([
        {
          code: 69,
          stderr: expect.stringContaining('did not answer in time; try again, or raise --timeout'),
        },
        { code: 69, stderr: expect.stringContaining('sent nothing for 0.2 s') },
      ]);
    } finally {
      silent.close();
    }
  });
});

describe('citadel policy world', () => {
  it('writes who is there and what holds, from a server', async () => {
    const registry = join(server.directory, 'registry');
    writeFileSync(
      join(registry, 'orders.yaml'),
      `apiVersion: citadel.dev/v1
kind: Workload
metadata: { namespace: world, name: orders-1, labels: { app: orders } }
spec: { serviceAccount: orders, addresses: [10.0.0.7], proxy: explicit, ports: [{ port: 8080, protocol: http }] }
---
${deny('of-a-file').replace('namespace: shop', 'namespace: world')}`,
    );
    const world = await waitFor(
      async () => {
        const { code, stdout } = await citadel('policy', 'world', ...socket());
        expect(code).toBe(0);
        const read = readWorld(stdout, 'the server');
        return read.workloads.has('files/world/orders-1') && read;
      },
      { what: 'the workload to be in the world' },
    );
    expect(world.policies.map(({ meta }) => `${meta.namespace}/${meta.name}`)).toContain('world/of-a-file');
    expect(world.workloads.get('files/world/orders-1')?.ports[0]?.protocol).toBe('http');

    // The same directory without a server.
    const alone = await loadWorld({ ...offline, registry });
    expect(alone.workloads.get('files/world/orders-1')?.labels).toEqual({ app: 'orders' });
    rmSync(join(registry, 'orders.yaml'));
    writeFileSync(join(registry, 'broken.yaml'), 'kind: Workload');
    await expect(loadWorld({ ...offline, registry })).rejects.toThrow('broken.yaml');
    rmSync(join(registry, 'broken.yaml'));
  });
});
