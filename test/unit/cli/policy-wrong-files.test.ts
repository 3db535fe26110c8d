import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TemporaryDirectory } from '../../parts/index.ts';
import { away, call, registry, runPolicy, wrongFiles } from './policy-wrong-inputs.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await wrongFiles();
});
afterAll(() => directory[Symbol.asyncDispose]());
const run = (line: string | readonly string[]) => runPolicy(line, directory);

/** Each command that reads a file of policies, for a file. Those of the first list answer with a report, on standard output. */
const reporting: Readonly<Record<string, string>> = {
  lint: 'lint FILE',
  check: `check FILE ${registry}`,
  test: `test FILE ${registry}`,
};
const reading: Readonly<Record<string, string>> = {
  fmt: 'fmt --check FILE',
  diff: `diff @good.yaml FILE ${registry}`,
  explain: `explain ${call} FILE`,
  who: `who --to shop/orders ${registry} FILE`,
  what: `what --from shop/web ${registry} FILE`,
  replay: `replay --candidate FILE --records @empty.yaml ${registry}`,
  apply: `apply FILE --yes ${away}`,
  against: `check @good.yaml --against FILE ${registry}`,
};
const commands = { ...reporting, ...reading };

const files: readonly (readonly [file: string, told: RegExp, passes?: readonly string[]])[] = [
  ['@none.yaml', /none\.yaml does not exist$/m],
  ['@good.yaml/below', /good\.yaml\/below does not exist: a part of its path is no directory/],
  ['@nothing', /no file below \S+nothing ends in \.yaml, \.yml or \.json; name the files/],
  ['@huge.yaml', /huge\.yaml is larger than 1048576 bytes/],
  ['/dev/zero', /\/dev\/zero is larger than 1048576 bytes/],
  ['@binary.yaml', /binary\.yaml is not UTF-8 text/],
  // Of what they cannot read the server tells, which is away here.
  ['@bad.yaml', /bad\.yaml:1:5: not valid YAML: /, ['test', 'apply']],
  [
    '@text.yaml',
    /text\.yaml:1:1: is no object with apiVersion, kind, metadata and spec/,
    ['test', 'apply', 'fmt'],
  ],
  [
    '@deployment.yaml',
    /deployment\.yaml:2:7: kind: "Deployment" is no kind of policy; known are /,
    ['test', 'apply', 'fmt'],
  ],
];

describe('a file of policies that is none', () => {
  it.for(
    files.flatMap(([file, told, passes = []]) =>
      Object.entries(commands).flatMap(([name, line]) =>
        passes.includes(name) ? [] : [[line.replace('FILE', file), told, name in reporting] as const],
      ),
    ),
  )('ends %s', async ([line, told, reports]) => {
    const { code, stdout, stderr } = await run(line);
    expect({ code, told: reports ? stdout : stderr }).toEqual({ code: 2, told: expect.stringMatching(told) });
    if (!reports) expect(stdout).toBe('');
  });
});
