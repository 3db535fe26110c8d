import { expect, it } from 'vitest';
import { createMemoryKeyManager } from '../../../../src/adapters/keys/memory/index.ts';
import { openCheckpoint } from '../../../../src/domain/audit/checkpoint.ts';
import { noteKeyOf, requireMaker, signBackup } from '../../../../src/domain/audit/index.ts';

const manifest = Buffer.from('{"files":[]}');

async function server(name: string) {
  const signer = await createMemoryKeyManager().generate('audit-checkpoints', 'ed25519');
  return { signer, key: noteKeyOf(name, signer) };
}

it('is believed of its maker alone, and of what he made alone', async () => {
  const { signer, key } = await server('example.org/audit/one');
  const other = await server('example.org/audit/one');
  const note = await signBackup(manifest, key, signer);
  expect(() => requireMaker(manifest, note, key)).not.toThrow();
  const refusal = expect.objectContaining({ code: 'DataLoss' });
  expect(() => requireMaker(Buffer.from('{}'), note, key)).toThrow(refusal);
  expect(() => requireMaker(manifest, note, other.key)).toThrow(refusal);
  expect(() => requireMaker(manifest, '', key)).toThrow(refusal);
});

it('is no checkpoint', async () => {
  const { signer, key } = await server('example.org/audit/one');
  const note = await signBackup(manifest, key, signer);
  expect(() => openCheckpoint(note, key)).toThrow('not of this audit record');
});
