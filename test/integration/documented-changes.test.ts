import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { registryText } from '../support/registry.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/policies.md'), 'utf8');
const [section = ''] = /^## Change, try, go back$[\s\S]*?(?=^## )/m.exec(text) ?? [];
const [, policy = ''] = /^```yaml no-deletes\.yaml\n([\s\S]*?)^```/m.exec(section) ?? [];
/** What commands print; the word behind `console` says that they ask or refuse, or into which file it goes. */
const commands = [...section.matchAll(/^```console ?(\S*)\n\$ citadel (.*)\n([\s\S]*?)^```/gm)];

/** Who and when differ, and with them the width of columns. */
const anybody = (printed: string) =>
  printed
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
    .replaceAll(/local:\d+/g, 'SOMEBODY')
    // Which of the requests that do is told is the engine's affair.
    .replaceAll(/^ +as +citadel policy explain .*$/gm, 'as EXPLAIN')
    .replaceAll(/ {2,}/g, (blanks, at: number, whole: string) => (whole[at - 1] === '\n' ? blanks : '  '));

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer((directory) => {
    mkdirSync(join(directory, 'registry'));
    const orders = { name: 'orders', ports: [{ port: 8080, application: 9080 }] };
    writeFileSync(join(directory, 'registry', 'shop.yaml'), registryText([orders]));
    return { mesh: { sources: { files: { directory: join(directory, 'registry') } } } };
  });
  const writes = { 'no-deletes.yaml': policy, 'tried.yaml': policy.replace('DELETE', 'PATCH') };
  for (const [name, content] of Object.entries(writes)) writeFileSync(join(server.directory, name), content);
});
afterAll(() => server.stop());

const citadel = (...args: readonly string[]) =>
  runCitadel([...args, '--socket', join(server.directory, 'operator.sock')], {
    directory: server.directory,
    home: 'home',
  });

/** Somebody else, by another way. */
async function meanwhile(): Promise<void> {
  const policies = server.app.policies ?? expect.fail('no control plane');
  const change = { texts: [{ source: 'x', text: `${policy}              - PUT\n` }], remove: [] };
  await policies.apply(change, 1, { subject: 'local:0', proof: 'local-socket' }, 'ticket-8');
}

describe('docs/policies.md, change, try, go back', () => {
  it('says what commands print, from one to the next', async () => {
    expect(commands.map(([, , line = '']) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'policy apply no-deletes.yaml',
      'policy apply no-deletes.yaml',
      'policy show AuthorizationPolicy/shop/no-deletes',
      'policy apply mine.yaml',
      'policy rollback 1',
      'policy history',
      'policy apply --shadow',
      'policy shadow promote',
      'policy shadow revert',
    ]);
    for (const [, word = '', line = '', printed = ''] of commands) {
      if (line.includes('shadow promote'))
        await waitFor(() => server.app.controlPlane?.shadows().length === 1, { what: 'the candidate' });
      const { stdout, stderr, code } = await citadel(...line.split(' '));
      if (word === 'refused' || word === 'asked') {
        expect(anybody(stderr)).toContain(anybody(printed));
        expect(code).toBe(word === 'asked' ? 1 : 2);
        continue;
      }
      expect({ line, stdout: anybody(stdout) }).toEqual({ line, stdout: anybody(printed) });
      expect(code).toBe(0);
      if (word === '') continue;
      writeFileSync(join(server.directory, word), stdout.replace('DELETE', 'POST'));
      await meanwhile();
    }
  }, 180_000);
});

describe('two authors at once', () => {
  it('one of them goes through, the other is told what changed under them', async () => {
    const from = (await server.app.store.policies.current()).revision;
    const race = await Promise.all(
      ['left', 'right'].map(async (name) => {
        const file = join(server.directory, `${name}.yaml`);
        writeFileSync(file, policy.replace('no-deletes', 'raced').replace('DELETE', name.toUpperCase()));
        const options = ['--yes', '--from-revision', String(from), '--reason', `by-${name}`];
        return { name, ...(await citadel('policy', 'apply', file, ...options)) };
      }),
    );
    const [won, lost] = race.toSorted((a, b) => a.code - b.code);
    if (!won || !lost) return expect.fail('two ran');
    expect([won.code, lost.code], lost.stderr).toEqual([0, 2]);
    expect((await server.app.store.policies.current()).revision).toBe(from + 1);
    expect(lost.stderr).toMatch(
      new RegExp(
        `AuthorizationPolicy/shop/raced\\n  revision ${from + 1}, \\S+, local:\\d+: by-${won.name}\\n`,
      ),
    );
    expect(lost.stderr).toContain(`  +               - ${won.name.toUpperCase()}\n`);
    expect(lost.stderr).toContain(`apply it with --from-revision ${from + 1}`);
  }, 120_000);

  it('name what is not there', async () => {
    expect((await citadel('policy', 'show', '--revision', '99')).code).toBe(66);
    expect((await citadel('policy', 'rollback', 'x', '--yes')).code).toBe(64);
    expect(
      (await citadel('policy', 'apply', 'no-deletes.yaml', '--yes', '--from-revision', '999')).code,
    ).toBe(64);
  }, 120_000);
});

it('tells programs what a change would do, with what it decides otherwise', async () => {
  const asked = await citadel('policy', 'apply', 'tried.yaml', '-o', 'json');
  expect(asked.code).toBe(1);
  expect(JSON.parse(asked.stdout)).toMatchObject({
    applied: false,
    effects: [{ policy: 'AuthorizationPolicy/shop/no-deletes', effect: 'updates' }],
    comparison: {
      outcome: 'different',
      differences: expect.arrayContaining([
        expect.objectContaining({
          becomes: 'denied',
          witness: expect.objectContaining({
            request: expect.objectContaining({ http: expect.objectContaining({ method: 'PATCH' }) }),
          }),
        }),
      ]),
    },
  });
}, 60_000);
