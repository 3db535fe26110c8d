import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formatWorld } from '../../src/domain/policy/index.ts';
import { parseYaml } from '../../src/yaml/index.ts';
import { hasPart, requirePart, type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { mesh, workload } from '../unit/domain/policy/mesh.ts';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/policy-ci.md'), 'utf8');

/** The blocks of the page, by what stands behind their language: `file=a.yaml`, `run=test`. */
const blocks = new Map(
  [...text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```/gm)].map(([, name = '', content = '']) => [name, content]),
);

function block(name: string): string {
  const found = blocks.get(name);
  if (found === undefined) throw new Error(`docs/policy-ci.md has no block ${name}`);
  return found;
}

const pipeline = z.object({
  jobs: z.object({
    policies: z.object({
      steps: z.array(
        z.object({ name: z.string().optional(), run: z.string().optional(), if: z.string().optional() }),
      ),
    }),
  }),
});

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory('policy-ci');
  for (const [name, content] of blocks)
    if (name.startsWith('file=')) write(name.slice('file='.length), content);
  write('bin/citadel', `#!/bin/sh\nexec ${join(root, 'scripts/citadel')} "$@"\n`);
  chmodSync(directory.join('bin/citadel'), 0o755);
  chmodSync(directory.join('.git/hooks/pre-commit'), 0o755);
  write('world.json', formatWorld(mesh([workload('shop/orders'), workload('shop/web')])));
  write('before/orders.yaml', block('file=policies/orders.yaml').replace('"/orders/*"', '"/orders/1"'));
});
afterAll(() => directory[Symbol.asyncDispose]());

function write(name: string, content: string): void {
  mkdirSync(dirname(directory.join(name)), { recursive: true });
  writeFileSync(directory.join(name), content);
}

function shell(script: string): Promise<{ readonly code: number; readonly output: string }> {
  const env = {
    PATH: `${directory.join('bin')}:${process.env['PATH']}`,
    CITADEL_HOME: directory.join('home'),
    HOME: directory.path,
    GIT_CONFIG_NOSYSTEM: '1',
    GITHUB_BASE_REF: 'main',
    GITHUB_STEP_SUMMARY: directory.join('step-summary.md'),
  };
  return new Promise((done) => {
    execFile(
      'bash',
      ['-e', '-c', script],
      { cwd: directory.path, env, timeout: 120_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        done({ code, output: stdout + stderr });
      },
    );
  });
}

const commitAll = 'git add -A policies && git -c user.name=a -c user.email=a@example.org commit -qnm x';
const git = (command: string) => shell(`git -c user.name=a -c user.email=a@example.org ${command}`);

describe('docs/policy-ci.md', () => {
  it('shows a test that runs, and what it says', async () => {
    expect(await shell(block('run=test'))).toEqual({ code: 0, output: block('output=test') });
  });

  it('compares with what was before', async () => {
    const { code, output } = await shell(block('run=check'));
    expect(output).toContain('Becomes allowed (1):');
    expect(code).toBe(4);
  });

  it('counts as removed what other files have alone', async () => {
    const good = block('file=policies/orders.yaml');
    write('old/orders.yaml', good);
    write(
      'old/deny.yaml',
      good
        .replace('name: orders', 'name: deny')
        .replace('ALLOW', 'DENY')
        .replace('"/orders/*"', '"/orders/1"'),
    );
    const { code, output } = await shell('citadel policy check policies --against old --world world.json');
    expect(output).toMatch(/before: denied by .*shop\/deny.*\n +after: allowed/);
    expect(code).toBe(4);
    // Where nobody says who is there, that is told.
    expect((await shell('citadel policy check policies --against old')).output).toContain(
      'it is not known who is there',
    );
    // What goes is named, with what hangs on it.
    const markdown =
      'citadel policy check policies --against old --world world.json --markdown s.md; cat s.md';
    expect((await shell(markdown.replace(';', '||'))).output).toMatch(
      /\| Removed \| \*\*1\*\* \|[\s\S]+#### Removed\n\n- `AuthorizationPolicy\/shop\/deny \(old\/deny.yaml:1\)`\n {2}- `without it becomes allowed: /,
    );
    // Compared with a world that has it, and whose policies no file names, it stays.
    const live = 'citadel policy check policies --against live --world world.json';
    expect((await shell(live)).output).toContain('Becomes denied');
  });

  it('names each exit code that there is', async () => {
    const { output } = await shell('citadel policy check --help');
    const documented = [...text.matchAll(/^\| +(\d) \| +`(\w+)`/gm)].map(
      ([, code, kind]) => `${code}  ${kind}`,
    );
    expect(documented).toHaveLength(6);
    for (const line of documented) expect(output).toContain(line);
  });

  it('keeps a broken policy from being committed, and one whose test fails', async () => {
    await git('init -q -b main .');
    chmodSync(directory.join('.git/hooks/pre-commit'), 0o755);
    const commit = () => git('add policies && git -c user.name=a -c user.email=a@example.org commit -qm x');
    expect(await commit()).toMatchObject({ code: 0 });
    await shell('git update-ref refs/remotes/origin/main HEAD');
    const good = block('file=policies/orders.yaml');
    write('policies/orders.yaml', good.replace('rules:', 'rule:'));
    expect((await commit()).output).toContain('unknown key; did you mean rules?');
    write('policies/orders.yaml', good.replace('[GET]', '[GET, PUT]'));
    const refused = await commit();
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain('Failing tests (1):');
    expect((await git('log --oneline')).output.trim().split('\n')).toHaveLength(1);
  });

  it.skipIf(!hasPart('precommit'))('does so by pre-commit, too', async () => {
    const repository = 'by-pre-commit';
    const good = block('file=policies/orders.yaml');
    for (const name of ['policies/orders.yaml', 'policies/orders.test.yaml', '.pre-commit-config.yaml'])
      write(`${repository}/${name}`, block(`file=${name}`));
    const inside = (command: string) =>
      shell(`export PATH="${dirname(requirePart('precommit'))}:$PATH"; cd ${repository}; ${command}`);
    expect(await inside(`git init -q -b main . && ${block('run=pre-commit')}`)).toMatchObject({ code: 0 });
    const commit = (what: string) =>
      inside(`git add ${what} && git -c user.name=a -c user.email=a@example.org commit -qm x 2>&1`);
    const passes = await commit('.');
    expect(passes.output).toMatch(
      /are formatted\.+Passed\npolicies are sound, and their tests pass\.+Passed\n$/,
    );
    expect(passes.code).toBe(0);
    write(`${repository}/policies/orders.yaml`, good.replace('[GET]', '[GET, PUT]'));
    const refused = await commit('.');
    expect(refused.output).toMatch(/tests pass\.+Failed\n- hook id: citadel-policy-check\n- exit code: 3\n/);
    expect(refused.output).toContain('Failing tests (1):');
    expect(refused.code).toBe(1);
    expect((await inside('git log --oneline')).output.trim().split('\n')).toHaveLength(1);
    // What else is committed does not wait for it.
    await inside('git reset -q');
    write(`${repository}/other.txt`, 'x');
    expect(await commit('other.txt')).toMatchObject({ code: 0, output: expect.stringContaining('Skipped') });
  });

  it('tells a pull request what its policies change, and fails for a test alone', async () => {
    const [{ value } = { value: undefined }] = parseYaml(block('ci'));
    const { steps } = pipeline.parse(value).jobs.policies;
    const run = async () => {
      writeFileSync(directory.join('step-summary.md'), '');
      let failed = 0;
      for (const step of steps) {
        if (step.run === undefined || (failed !== 0 && step.if !== 'always()')) continue;
        const { code } = await shell(step.run);
        failed ||= code;
      }
      return { failed, summary: readFileSync(directory.join('step-summary.md'), 'utf8') };
    };
    // What the commit before has left: PUT is let in, which a test denies.
    const first = await run();
    expect(first.failed).toBe(3);
    expect(first.summary).toContain('| Failing tests | **1** |\n| Becomes allowed | **1** |');
    write(
      'policies/orders.test.yaml',
      block('file=policies/orders.test.yaml').replace('POST, PUT, DELETE', 'POST, DELETE'),
    );
    const second = await run();
    expect(second.summary).toContain('| Removed | – |');
    expect(second.summary).toMatch(
      /#### Becomes allowed\n\n- `.*method PUT.* to test\/shop\/orders, port 8080`/,
    );
    expect(second.failed).toBe(0);

    // Meanwhile others add a policy to main, which is not of this change; and this change deletes all that there is.
    await shell(`git switch -qc change && ${commitAll} && git switch -q main`);
    write('policies/theirs.yaml', block('file=policies/orders.yaml').replace('name: orders', 'name: theirs'));
    await shell(`git checkout -q . && ${commitAll}`);
    await shell('git update-ref refs/remotes/origin/main main && git switch -q change');
    expect((await run()).summary).toContain('| Removed | – |');
    await shell('git rm -qr policies');
    const third = await run();
    expect(third.failed).toBe(0);
    expect(third.summary).toMatch(
      /#### Removed\n\n- `AuthorizationPolicy\/shop\/orders \(git:.*policies\/orders\.yaml:1\)`\n {2}- `without it becomes allowed: caller any/,
    );
    expect(third.summary).toContain('no policy is left of those of git:origin/main');
  });

  it('takes an empty directory for what a change left or began with, and any other for a wrong name', async () => {
    const check = (files: string, against: string) =>
      shell(`citadel policy check ${files} --against ${against} --world world.json`);
    expect(await check('policy', 'git:HEAD:policies')).toMatchObject({
      code: 2,
      output: expect.stringContaining('the file policy does not exist'),
    });
    write('new/orders.yaml', block('file=policies/orders.yaml'));
    expect(await check('new', 'git:HEAD:nwe')).toMatchObject({
      code: 2,
      output: expect.stringContaining('no file below nwe of HEAD'),
    });
    const first = await check('new', 'git:HEAD:new');
    expect(first.output).toContain('git:HEAD:new has no policies: all of these are new');
    expect(first.code).toBe(5);
  });
});
