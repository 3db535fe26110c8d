import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { documentedSection } from '../support/documented.ts';

const { files, commands } = documentedSection('Warnings');

describe('docs/policies.md, warnings', () => {
  let directory: TemporaryDirectory;
  const citadel = (line: string) => runCitadel(line.split(' '), { directory: directory.path, home: 'home' });
  beforeAll(async () => {
    directory = await temporaryDirectory('documented-warnings');
    for (const { name, text } of files) writeFileSync(directory.join(name), text);
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  it('has the examples that this file runs', () => {
    expect(files.map(({ name }) => name)).toEqual(['lint.yaml']);
    expect(commands.map(({ line }) => line.split(' ')[1])).toEqual(['lint']);
  });

  it.each(commands)('$line', async ({ line, printed }) => {
    expect(await citadel(line)).toEqual({ stdout: printed, stderr: '', code: 0 });
  });

  it('says the same as JSON, each with its place, and where one shows it with a request', async () => {
    const { stdout } = await citadel(`${commands[0]?.line} -o json`);
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          rule: 'allow-shadowed-by-deny',
          source: 'lint.yaml',
          line: 14,
          column: 63,
          path: 'spec.rules[1].to[0].operation.paths[1]',
          witness: expect.objectContaining({
            witness: expect.objectContaining({
              request: expect.objectContaining({
                http: expect.objectContaining({ method: 'GET', path: '/admin/report' }),
              }),
            }),
          }),
        }),
      ]),
    );
  });
});
