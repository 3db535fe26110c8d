import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, signCheckpoint } from '../../../../src/domain/audit/checkpoint.ts';
import {
  formatNoteKey,
  noteKeyOf,
  openNote,
  parseNoteKey,
  signNote,
} from '../../../../src/domain/audit/note.ts';
import { readNotes } from '../../../../src/domain/audit/note-stream.ts';
import { localSigner } from '../../../../src/pki/index.ts';

const origin = 'example.org/audit/0123456789abcdef';
const maker = () => {
  const signer = localSigner(generateKeyPairSync('ed25519').privateKey);
  return { signer, key: noteKeyOf(origin, signer) };
};

describe('signed notes', () => {
  // The example in the documentation of golang.org/x/mod/sumdb/note.
  const key = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const text =
    'If you think cryptography is the answer to your problem,\nthen you don\u2019t know what your problem is.\n'.replace(
      '\u2019',
      "'",
    );
  const signature =
    '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

  it('are those of Go', () => {
    expect(openNote(`${text}\n${signature}`, parseNoteKey(key))).toBe(text);
    expect(() => openNote(`${text.replace('your', 'my')}\n${signature}`, parseNoteKey(key))).toThrow(
      'its signature is wrong',
    );
  });

  it('are believed by the pinned key alone, whatever others sign beside it', async () => {
    const [ours, theirs] = [maker(), maker()];
    const note = await signNote('one\ntwo\n', ours.key, ours.signer);
    const other = (
      await signNote('one\ntwo\n', { ...theirs.key, name: 'witness.example' }, theirs.signer)
    ).slice('one\ntwo\n\n'.length);
    expect(openNote(note + other, ours.key)).toBe('one\ntwo\n');
    expect(() => openNote(note, theirs.key)).toThrow('it is not signed by the key');
    expect(() => openNote(note, { ...ours.key, name: 'another' })).toThrow('it is not signed by the key');
  });

  it.each([
    '',
    'x',
    `${key}x`,
    key.replace('c74f20a3', 'c74f20a4'),
    key.replace('+AR', '+BR'),
    ` ${key}`,
    `${key}=`,
  ])('are verified by no such key: %s', (broken) =>
    expect(() => parseNoteKey(broken)).toThrow('this is no key of an audit record'),
  );

  it('give their key in the form that is pinned', () => {
    expect(formatNoteKey(parseNoteKey(key))).toBe(key);
  });
});

describe('a checkpoint', () => {
  const head = { size: 7, root: Buffer.alloc(32, 7), at: new Date('2026-01-02T03:04:05.678Z'), revoked: 3 };

  it('gives back what was sworn to', async () => {
    const { key, signer } = maker();
    expect(openCheckpoint(await signCheckpoint(head, key, signer), key)).toEqual({ origin, ...head });
    const abandoned = { size: 9, root: Buffer.alloc(32, 9) };
    expect(openCheckpoint(await signCheckpoint({ ...head, abandoned }, key, signer), key)).toEqual({
      origin,
      ...head,
      abandoned,
    });
  });

  it('has one form: no bit of it can be changed', async () => {
    const { key, signer } = maker();
    const bytes = Buffer.from(await signCheckpoint(head, key, signer));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openCheckpoint(changed.toString(), key), `bit ${bit}`).toThrow('cannot be believed');
    }
  });

  const root = head.root.toString('base64');
  const time = `time ${head.at.toISOString()}`;
  it.each([
    ['a signed size', [origin, '+7', root, time]],
    ['a size with a leading zero', [origin, '07', root, time]],
    ['no size', [origin, '', root, time]],
    ['a root in another form', [origin, '7', root.replace('c=', 'd='), time]],
    ['a root that is too short', [origin, '7', root.slice(4), time]],
    ['no time', [origin, '7', root]],
    ['no day of the calendar', [origin, '7', root, time.replace('-01-', '-13-')]],
    ['the origin of another log', ['example.org/audit/fedcba9876543210', '7', root, time]],
    ['a line more', [origin, '7', root, time, 'x']],
  ])('that is signed and has %s is none', async (_what, lines) => {
    const { key, signer } = maker();
    const note = await signNote(lines.map((line) => `${line}\n`).join(''), key, signer);
    expect(() => openCheckpoint(note, key)).toThrow('not of this audit record');
  });
});

describe('readNotes', () => {
  const read = async (text: string, chunk = 7) => {
    async function* chunks() {
      for (let at = 0; at < text.length; at += chunk) yield text.slice(at, at + chunk);
    }
    const notes: string[] = [];
    for await (const note of readNotes(chunks())) notes.push(note);
    return notes;
  };
  const note = (size: number) => `o\n${size}\nr\n\n\u2014 o c2ln\n`;

  it.each([
    ['of a file', `${note(1)}\n${note(2)}\n`, [note(1), note(2)]],
    ['one alone, also without its last newline', note(1).trimEnd(), [note(1)]],
    [
      'of a log',
      `starting\n${JSON.stringify({ auditCheckpoint: note(1) })}\n{"level":"info"}\nby hand\n${JSON.stringify({ auditCheckpoint: note(2) })}\nbye\n`,
      [note(1), note(2)],
    ],
    ['none', '\n\n', []],
    ['what is none, as it stands', `x\ny\n`, ['x\ny\n']],
    ['one that lost its end', `${note(1)}\no\n2\n`, [note(1), 'o\n2\n']],
  ])('reads those %s', async (_what, text, notes) => {
    for (const chunk of [1, 7, 1000]) expect(await read(text, chunk)).toEqual(notes);
  });

  it('ends at what is longer than any checkpoint', async () => {
    await expect(read('x'.repeat(200_000), 10_000)).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(read('x\n'.repeat(100_000), 10_000)).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});
