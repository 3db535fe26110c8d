import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { documentedSection } from '../support/documented.ts';
import { registryText } from '../support/registry.ts';

const { files, commands } = documentedSection('What it would have done');

describe('docs/policies.md, what it would have done', () => {
  let directory: TemporaryDirectory;
  const citadel = (line: string) => runCitadel(line.split(' '), { directory: directory.path, home: 'home' });
  beforeAll(async () => {
    directory = await temporaryDirectory('documented-records');
    mkdirSync(directory.join('registry'));
    const orders = { name: 'orders', ports: [{ port: 8080, application: 9080 }] };
    writeFileSync(directory.join('registry/shop.yaml'), registryText([orders]));
    for (const { name, text } of files) writeFileSync(directory.join(name), text);
    const world = await citadel('policy world --registry registry --trust-domain example.org');
    writeFileSync(directory.join('world.json'), world.stdout);
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  it('has the examples that this file runs', () => {
    expect(files.map(({ name }) => name)).toEqual(['records.jsonl', 'candidate.yaml']);
    expect(commands.map(({ line }) => line.split(' ')[1])).toEqual(['replay', 'suggest', 'test']);
  });

  it.each(commands)('$line', async ({ line, printed }) => {
    const { stdout, stderr, code } = await citadel(line);
    expect({ stdout, stderr }).toEqual({ stdout: printed, stderr: '' });
    expect(code).toBe(line.includes('replay') ? 1 : 0);
  });

  it('tells which recorded calls would end otherwise by the policies of now', async () => {
    const candidate = files.find(({ name }) => name === 'candidate.yaml')?.text ?? '';
    writeFileSync(directory.join('registry/candidate.yaml'), candidate);
    const { stdout, code } = await citadel(
      'policy test --init --to shop/orders --registry registry --trust-domain example.org --records records.jsonl',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^# Not so by the policies that hold now: .*\n# {3}shop\/cron DELETE \/orders\/40 is allowed\napiVersion/m,
    );
  });
});
