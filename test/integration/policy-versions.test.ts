import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  runCitadel([...args, '--socket', join(server.directory, 'operator.sock')], {
    directory: server.directory,
    home: 'home',
  });

const deny = (name: string, path: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ${name}
  namespace: shop
spec:
  action: DENY
  rules:
    - to:
        - operation:
            paths:
              - ${path}
`;

async function apply(name: string, path: string, ...more: readonly string[]) {
  const file = join(server.directory, `${name}${path.replaceAll('/', '-')}.yaml`);
  writeFileSync(file, deny(name, path));
  return citadel('policy', 'apply', file, '--yes', ...more);
}

/** The one revision that is there now. */
async function present(): Promise<number> {
  return (await server.app.store.policies.current()).revision;
}

const held = async () =>
  (await server.app.store.policies.current()).policies.map(({ name, text = '' }) => [
    name,
    /- (\/\S+)/.exec(text)?.[1],
  ]);

describe('what is kept here', () => {
  it('is shown as it was, and goes back to any revision: all of it, or one policy', async () => {
    expect((await apply('a', '/one', '--reason', 'first')).stdout).toContain('Revision 1');
    expect((await apply('b', '/b')).stdout).toContain('Revision 2');
    expect((await apply('a', '/two', '--reason', 'second')).stdout).toContain('Revision 3');
    const before = await citadel('policy', 'show', 'AuthorizationPolicy/shop/a', '--revision', '1');
    expect(before.stdout).toBe(`# citadel policy: revision 1\n${deny('a', '/one')}`);
    const all = await citadel('policy', 'show');
    expect(all.stdout).toBe(`# citadel policy: revision 3\n${deny('a', '/two')}---\n${deny('b', '/b')}`);

    const asked = await citadel('policy', 'rollback', '1');
    expect(asked.code).toBe(1);
    expect(asked.stderr).toMatch(
      /updates AuthorizationPolicy\/shop\/a\n {2}removes AuthorizationPolicy\/shop\/b\n/,
    );
    expect(await present()).toBe(3);

    const one = ['policy', 'rollback', '1', 'AuthorizationPolicy/shop/a', '--yes', '--reason', 'too much'];
    expect((await citadel(...one)).stdout).toBe('Revision 4: 1 policy changed.\n');
    expect(await held()).toEqual([
      ['a', '/one'],
      ['b', '/b'],
    ]);
    expect((await citadel(...one)).stdout).toBe('Nothing changes: these policies hold already.\n');

    expect((await citadel('policy', 'rollback', '0', '--yes')).stdout).toBe(
      'Revision 5: 2 policies changed.\n',
    );
    expect(await held()).toEqual([]);
    expect((await citadel('policy', 'rollback', '3', '--yes')).stdout).toContain('Revision 6');
    expect(await held()).toEqual([
      ['a', '/two'],
      ['b', '/b'],
    ]);
  });

  it('says in its history and in the audit record who went back, to what, and why', async () => {
    const { stdout } = await citadel('policy', 'history');
    expect(stdout).toMatch(/4 +\S+ +local:\d+ +AuthorizationPolicy\/shop\/a +back to revision 1: too much/);
    const { items } = await server.app.store.audit.find({ action: 'policy.rollback', limit: 10 });
    expect(items.at(-1)).toMatchObject({
      outcome: 'allowed',
      subject: expect.stringMatching(/^local:/),
      reason: 'too much',
      target: 'AuthorizationPolicy/shop/a',
      details: { restores: '1', expected: '3' },
    });
  });

  it('names what was never there', async () => {
    expect(await citadel('policy', 'rollback', '99', '--yes')).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('no revision 99'),
    });
    expect(await citadel('policy', 'rollback', 'x', '--yes')).toMatchObject({ code: 64 });
    const never = ['AuthorizationPolicy/shop/never', '--yes'] as const;
    expect(await citadel('policy', 'rollback', '1', ...never)).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('AuthorizationPolicy/shop/never was not kept here at revision 1'),
    });
    expect(await citadel('policy', 'show', never[0])).toMatchObject({ code: 66 });
    expect(await citadel('policy', 'show', '--revision', '99')).toMatchObject({ code: 66 });
  });
});

describe('two authors at once', () => {
  it('one of them goes through, the other is told what changed under them', async () => {
    const from = await present();
    const race = await Promise.all(
      ['left', 'right'].map(async (path) => ({
        path,
        ...(await apply('raced', `/${path}`, '--from-revision', String(from), '--reason', `by ${path}`)),
      })),
    );
    const [won, lost] = race.toSorted((a, b) => a.code - b.code);
    if (!won || !lost) return expect.fail('two ran');
    expect([won.code, lost.code]).toEqual([0, 2]);
    expect(await present()).toBe(from + 1);
    expect(lost.stderr).toContain(`changed since revision ${from}`);
    expect(lost.stderr).toMatch(
      new RegExp(
        `AuthorizationPolicy/shop/raced\\n  revision ${from + 1}, \\S+, local:\\d+: by ${won.path}\\n`,
      ),
    );
    expect(lost.stderr).toContain(`  +               - /${won.path}\n`);
    expect(lost.stderr).toContain(`apply it with --from-revision ${from + 1}`);

    const again = await apply('raced', `/${lost.path}`, '--from-revision', String(from + 1));
    expect(again).toMatchObject({ code: 0 });
  });

  it('a shown policy remembers from which revision it is', async () => {
    const { stdout } = await citadel('policy', 'show', 'AuthorizationPolicy/shop/a');
    const from = await present();
    expect(await apply('a', '/three', '--reason', 'meanwhile')).toMatchObject({ code: 0 });
    const mine = join(server.directory, 'mine.yaml');
    writeFileSync(mine, stdout.replace('/two', '/mine'));
    const refused = await citadel('policy', 'apply', mine, '--yes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/meanwhile\n(?: {4}.*\n)+ {2}- +- \/two\n {2}\+ +- \/three\n/);
    expect(await present()).toBe(from + 1);
    const seen = await citadel('policy', 'apply', mine, '--yes', '--from-revision', String(from + 1));
    expect(seen).toMatchObject({ code: 0 });
    expect((await citadel('policy', 'apply', mine, '--yes', '--from-revision', '999')).code).toBe(64);
  });
});
