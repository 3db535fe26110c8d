import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createKeySetArchive } from '../../../../src/adapters/jwks/index.ts';
import { temporaryDirectory } from '../../../parts/index.ts';

test('keeps key sets, each for itself, and tells when a file is damaged or another’s', async () => {
  await using directory = await temporaryDirectory();
  const home = directory.join('jwks');
  const kept = { jwks: '{"keys":[]}', fetchedAt: new Date('2030-01-01T00:00:00Z') };
  const archive = createKeySetArchive(home);
  expect(await archive.load('jwks:https://a/../../x')).toBeUndefined();
  await archive.save('jwks:https://a/../../x', kept);
  expect(await createKeySetArchive(home).load('jwks:https://a/../../x')).toEqual(kept);
  expect(await archive.load('jwks:https://b')).toBeUndefined();
  const [file = '', ...others] = readdirSync(home);
  expect(file).toMatch(/^[0-9a-f]{64}\.json$/);
  expect(others).toEqual([]);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  await archive.save('jwks:https://b', kept);
  const second = readdirSync(home).find((name) => name !== file) ?? '';
  writeFileSync(join(home, second), readFileSync(join(home, file)));
  await expect(archive.load('jwks:https://b')).rejects.toMatchObject({ code: 'DataLoss' });
  writeFileSync(join(home, second), '{');
  await expect(archive.load('jwks:https://b')).rejects.toThrow();
});

test('forgets what it is not to retain, and touches no file of others', async () => {
  await using directory = await temporaryDirectory();
  const home = directory.join('jwks');
  const archive = createKeySetArchive(home);
  await archive.retain(new Set(['a']));
  const kept = { jwks: '{"keys":[]}', fetchedAt: new Date('2030-01-01T00:00:00Z') };
  for (const id of ['a', 'b', 'c']) await archive.save(id, kept);
  writeFileSync(join(home, 'notes'), '');
  writeFileSync(join(home, `${'0'.repeat(64)}.json.new`), 'half');
  await archive.retain(new Set(['b', 'd']));
  expect(await archive.load('b')).toEqual(kept);
  expect(readdirSync(home)).toHaveLength(2);
  expect(readdirSync(home)).toContain('notes');
});
