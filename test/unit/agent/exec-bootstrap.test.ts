import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { agentBootstrap, envoyArguments, userConfigPath } from '../../../src/agent/exec/bootstrap.ts';
import { temporaryDirectory } from '../../parts/index.ts';

const own = (node: { id: string; cluster: string } | undefined) =>
  agentBootstrap({ socketPath: '/run/a.sock', adminSocket: '/run/admin.sock' }, node);
const inlineOf = (args: string[]): unknown => JSON.parse(args[args.indexOf('--config-yaml') + 1] ?? '');

test('the file among the arguments is found in each of its spellings', () => {
  expect(userConfigPath(['-c', 'a.yaml', '--log-level', 'info'])).toBe('a.yaml');
  expect(userConfigPath(['--config-path', 'a.yaml'])).toBe('a.yaml');
  expect(userConfigPath(['--config-path=a.yaml'])).toBe('a.yaml');
  expect(userConfigPath(['--log-level', 'info'])).toBeUndefined();
  expect(() => userConfigPath(['--config-yaml', '{}'])).toThrow('put your configuration into a file');
});

test("the user's own node stays, else Envoy gets one; the admin is a Unix socket of mode 0600", async () => {
  await using directory = await temporaryDirectory('exec');
  await writeFile(directory.join('named.yaml'), 'node:\n  id: mine\n  cluster: c\n');
  await writeFile(directory.join('bare.yaml'), 'static_resources: {}\n');
  const named = await envoyArguments(['-c', directory.join('named.yaml')], own, undefined, 7);
  expect(inlineOf(named)).toHaveProperty('admin.address.pipe', { path: '/run/admin.sock', mode: 0o600 });
  expect(inlineOf(named)).not.toHaveProperty('node');
  expect(named.slice(0, 4)).toEqual(['-c', directory.join('named.yaml'), '--drain-time-s', '7']);
  expect(
    inlineOf(await envoyArguments(['-c', directory.join('bare.yaml')], own, undefined, 7)),
  ).toHaveProperty('node.id');
  const chosen = { id: 'chosen', cluster: 'c' };
  expect(inlineOf(await envoyArguments(['-c', directory.join('named.yaml')], own, chosen, 7))).toHaveProperty(
    'node',
    chosen,
  );
  const drained = await envoyArguments(['--drain-time-s', '3'], own, undefined, 7);
  expect(drained.filter((arg) => arg.startsWith('--drain-time-s'))).toHaveLength(1);
  await expect(envoyArguments(['-c', directory.join('none')], own, undefined, 7)).rejects.toMatchObject({
    code: 'InvalidArgument',
  });
});
