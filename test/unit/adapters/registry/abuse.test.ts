import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createFileSource } from '../../../../src/adapters/registry/index.ts';
import { silentLog, systemClock } from '../../../../src/kernel/index.ts';
import { memoryArchive } from '../../../fakes/memory-archive.ts';
import { temporaryDirectory, waitFor } from '../../../parts/index.ts';

const policy = (name: string, more = '') => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ${name}}
spec: {action: DENY, rules: [{to: [{operation: {paths: ["/admin/${name}"${more}]}}]}]}
`;

async function start(files: ReadonlyMap<string, string>) {
  const directory = await temporaryDirectory('abuse');
  await mkdir(directory.join('many'));
  for (const [name, text] of files) await writeFile(directory.join(name), text);
  const archive = memoryArchive();
  const source = createFileSource({
    directory: directory.path,
    archive,
    clock: systemClock,
    log: silentLog,
    interval: 60_000,
  });
  await source.start(() => {});
  return {
    directory,
    source,
    archive,
    names: () => source.content()?.policies.map(({ meta }) => meta.name) ?? [],
    [Symbol.asyncDispose]: async () => {
      await source.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The longest time for which nothing else had its turn, as a part of the whole. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  let longest = 0;
  let last = began;
  const take = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(take, 1);
  await work();
  clearInterval(timer);
  take();
  return longest / (last - began);
}

const large = (paths: number) =>
  policy('large', Array.from({ length: paths }, (_, at) => `, "/${'x'.repeat(4_000)}${at}"`).join(''));
const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]
${Array.from({ length: 26 }, (_, at) => {
  const [from, to] = [String.fromCharCode(97 + at), `${String.fromCharCode(97 + at)}${at}`];
  return at === 0
    ? `a0: &a0 [*${from}, *${from}, *${from}]`
    : `${to}: &${to} [*${String.fromCharCode(96 + at)}${at - 1}, *${String.fromCharCode(96 + at)}${at - 1}]`;
}).join('\n')}
`;

describe('a registry with', () => {
  test.each<[string, string, string]>([
    ['a policy of more than a megabyte', large(270), 'a document larger than 1048576 bytes'],
    ['a bomb of aliases', bomb, 'xcessive alias count'],
    ['brackets without an end', '['.repeat(200_000), 'not valid YAML'],
    ['an alias to nothing', 'a: *b', 'not valid YAML'],
    [
      'fifty thousand keys that nobody knows',
      `${policy('x')}${Array.from({ length: 50_000 }, (_, at) => `k${at}: 1\n`).join('')}`,
      'k0: unknown key',
    ],
  ])('%s tells so, at once, and takes all else', { timeout: 30_000 }, async (_what, text, problem) => {
    await using registry = await start(
      new Map([
        ['a.yaml', `${policy('before')}---\n${text}\n---\n${policy('after')}`],
        ['b.yaml', policy('other')],
      ]),
    );
    expect(registry.names()).toEqual(['before', 'after', 'other']);
    const { rejected } = registry.source.state();
    expect(rejected[0]).toEqual({ object: 'a.yaml', reason: expect.stringContaining(problem), kept: false });
    expect(rejected.length).toBeLessThanOrEqual(100);
  });

  test('a policy of almost a megabyte takes it', async () => {
    await using registry = await start(new Map([['a.yaml', large(250)]]));
    expect(registry.source.state().rejected).toEqual([]);
    expect(registry.names()).toEqual(['large']);
  });

  test('10,000 policies takes a change without reading all anew, and lets others have their turn', {
    timeout: 120_000,
  }, async () => {
    const some = (file: number, count: number) =>
      Array.from({ length: count }, (_, at) => policy(`p-${file}-${at}`)).join('---\n');
    const files = Array.from({ length: 9 }, (_, file) => [`many/${file}.yaml`, some(file, 1_000)] as const);
    await using registry = await start(new Map(files));
    const before = new Set(registry.source.content()?.policies);
    const turn = await longestTurn(async () => {
      await writeFile(registry.directory.join('many/9.yaml'), some(9, 1_000));
      await waitFor(() => registry.names().length === 10_000, { what: 'the change' });
    });
    expect(turn).toBeLessThan(0.4);
    expect(registry.source.content()?.policies.filter((each) => !before.has(each))).toHaveLength(1_000);
    await registry.source.close();
    expect(JSON.stringify([...registry.archive.kept.values()])).toContain('p-9-999');
  });
});
