import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openCheckpoint } from '../../../../src/domain/audit/checkpoint.ts';
import { decodeEntry, encodeEntry } from '../../../../src/domain/audit/entry.ts';
import {
  Frontier,
  formatProof,
  leafHash,
  parseNoteKey,
  parseProof,
  signCheckpoint,
  verifyProof,
} from '../../../../src/domain/audit/index.ts';
import { localSigner } from '../../../../src/pki/index.ts';

const texts = {
  action: z.string(),
  outcome: z.string(),
  subject: z.string(),
  proof: z.string(),
  target: z.string(),
  reason: z.string(),
  details: z.string(),
};
const vectors = z
  .strictObject({
    entries: z
      .array(
        z.strictObject({
          sequence: z.int(),
          at: z.string(),
          ...texts,
          bytes: z.string(),
          hashes: z.string(),
          root: z.string(),
        }),
      )
      .min(3),
    signingKey: z.strictObject({ seed: z.string(), pinned: z.string() }),
    checkpoint: z.string(),
    abandoning: z.string(),
    proof: z.string(),
  })
  .parse(
    JSON.parse(readFileSync(join(import.meta.dirname, '../../../../docs/audit-record.vectors.json'), 'utf8')),
  );

/** RFC 8410, section 7: a private key is its seed behind this. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const signer = localSigner(
  createPrivateKey({
    key: Buffer.concat([pkcs8, Buffer.from(vectors.signingKey.seed, 'hex')]),
    format: 'der',
    type: 'pkcs8',
  }),
);
const key = parseNoteKey(vectors.signingKey.pinned);

describe('the vectors beside docs/audit-record.md', () => {
  it('are what entries are encoded to, and what their tree is', () => {
    const frontier = new Frontier();
    for (const { bytes, hashes, root, sequence, at, ...entry } of vectors.entries) {
      const encoded = encodeEntry(sequence, Date.parse(at), entry);
      expect(encoded.toString('hex')).toBe(bytes);
      expect(frontier.append(leafHash(encoded)).toString('hex')).toBe(hashes);
      expect(Buffer.from(frontier.root()).toString('hex')).toBe(root);
      expect(decodeEntry(encoded)).toEqual({ sequence, at: new Date(at), ...entry });
    }
  });

  it('are what is sworn to', async () => {
    const checkpoint = openCheckpoint(vectors.checkpoint, key);
    expect(await signCheckpoint(checkpoint, key, signer)).toBe(vectors.checkpoint);
    expect(Buffer.from(checkpoint.root).toString('hex')).toBe(vectors.entries.at(-1)?.root);
    const abandoning = openCheckpoint(vectors.abandoning, key);
    expect(abandoning.abandoned).toEqual({ size: 4, root: Buffer.alloc(32, 4) });
    expect(await signCheckpoint(abandoning, key, signer)).toBe(vectors.abandoning);
  });

  it('are what proves an entry', () => {
    const proof = parseProof(vectors.proof);
    expect(verifyProof(proof, key).entry.subject).toBe(vectors.entries[1]?.subject);
    expect(formatProof(proof)).toBe(vectors.proof);
    expect(() => verifyProof({ ...proof, sequence: 1 }, key)).toThrow('the proof is wrong');
    expect(() => verifyProof({ ...proof, entry: proof.entry.subarray(1) }, key)).toThrow();
  });

  it.each([0, 1, 16, 17, 20, 40])('has no entry that ends with byte %i', (length) => {
    const bytes = Buffer.from(vectors.entries[0]?.bytes ?? '', 'hex');
    expect(() => decodeEntry(bytes.subarray(0, length))).toThrow('no entry of an audit record');
    expect(() => decodeEntry(Buffer.concat([bytes, Buffer.of(0)]))).toThrow('no entry of an audit record');
  });
});
