import { generateKeyPairSync } from 'node:crypto';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditTree } from '../../../../../src/adapters/store/sqlite/audit-tree.ts';
import { openSqliteStore } from '../../../../../src/adapters/store/sqlite/index.ts';
import { drizzle } from '../../../../../src/adapters/store/sqlite/orm.ts';
import {
  collectSworn,
  Frontier,
  leafHash,
  noteKeyOf,
  readNotes,
  type Sworn,
  signCheckpoint,
  type Verdict,
  verifyRecord,
} from '../../../../../src/domain/audit/index.ts';
import { silentLog, systemClock } from '../../../../../src/kernel/index.ts';
import { localSigner } from '../../../../../src/pki/index.ts';
import { auditEvent } from '../../../../contract/store-samples.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../parts/temporary.ts';
import { type Random, rowMutations, seeded } from './audit-mutations.ts';

const signer = localSigner(generateKeyPairSync('ed25519').privateKey);
const key = noteKeyOf('example.org/audit/0123456789abcdef', signer);
const size = 53;
/** Where it was sworn to the record: at the end too. */
const swornAt = [1, 7, 16, 40, size];

let directory: TemporaryDirectory;
let database: Database.Database;
let tree: AuditTree;
let notes: string;
let sworn: Sworn;

/** A record of entries of all kinds, written as a server writes it, and its checkpoints as the file has them. */
beforeAll(async () => {
  directory = await temporaryDirectory('audit');
  const file = directory.join('store.db');
  const store = await openSqliteStore({ file, clock: systemClock, log: silentLog });
  notes = '';
  for (let index = 1; index <= size; index += 1) {
    await store.audit.append(
      auditEvent({
        target: index % 5 === 0 ? '' : `spiffe://example.org/${index}`,
        reason: index % 7 === 0 ? 'grün \u{1f600} \ufffd' : `reason ${index}`,
        details: index % 3 === 0 ? {} : { serial: index.toString(16).padStart(32, '0'), '"': '\\\u0000' },
      }),
    );
    if (swornAt.includes(index))
      notes += `${await signCheckpoint({ ...(await store.audit.head()), at: new Date(index * 1000), revoked: 0 }, key, signer)}\n`;
  }
  await store.close();
  database = new Database(file);
  for (const setting of ['journal_mode = delete', 'journal_mode = memory', 'synchronous = off'])
    database.pragma(setting);
  tree = new AuditTree(drizzle(database));
  sworn = await collect(notes);
});
afterAll(async () => {
  database.close();
  await directory[Symbol.asyncDispose]();
});

const collect = (text: string) => collectSworn([{ name: 'file', notes: readNotes(chunked(text)) }], key);

async function* chunked(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += 100) yield text.slice(at, at + 100);
}

const verify = (by: Sworn | undefined = sworn): Promise<Verdict> =>
  verifyRecord(async (after) => tree.entries(after, 20), by);

/** What is true of the record after a change, which is then taken back. */
async function changed(change: () => void): Promise<Verdict> {
  database.exec('begin');
  try {
    change();
    return await verify();
  } finally {
    database.exec('rollback');
  }
}

/** What an attacker does who knows how the tree is made: all hashes anew. */
function rehash(): void {
  const frontier = new Frontier();
  for (const { sequence, entry } of tree.entries(Number.MIN_SAFE_INTEGER, 1000))
    database
      .prepare('update audit set hashes = ? where sequence = ?')
      .run(frontier.append(leafHash(entry)), sequence);
}

/** `scripts/mutate-audit-record` makes more of them. */
const mutations = Number(process.env['AUDIT_MUTATIONS'] ?? 500);

const isFound = ({ faults, sworn: upTo, verified }: Verdict) => faults.length > 0 || upTo < verified;

describe('the record of a store', () => {
  test('is as it was recorded, and sworn to up to its end', async () => {
    expect(await verify()).toMatchObject({ verified: size, sworn: size, faults: [] });
    expect(sworn).toMatchObject({ count: swornAt.length, refused: [], abandoned: [] });
  });

  test.each<[string, string, object]>([
    [
      'a changed entry',
      "update audit set reason = 'x' where sequence = 9",
      { kind: 'changed', sequence: 9, what: 'entry 9 was changed' },
    ],
    [
      'changed hashes',
      'update audit set hashes = cast(hashes || hashes as blob) where sequence = 10',
      { kind: 'changed', sequence: 10, what: 'the hashes kept with entry 10 were changed' },
    ],
    [
      'a missing entry',
      'delete from audit where sequence in (9, 10)',
      { kind: 'missing', sequence: 9, what: 'entries 9 to 10 are missing' },
    ],
    [
      'an entry elsewhere',
      'update audit set sequence = -1 where sequence = 9; update audit set sequence = 9 where sequence = 12; update audit set sequence = 12 where sequence = -1',
      { kind: 'reordered', sequence: 9, what: 'entry 9 holds what was recorded as entry 12' },
    ],
    [
      'an entry before the first',
      'update audit set sequence = 0 where sequence = 9',
      { kind: 'extra', sequence: 0 },
    ],
    [
      'a cut end',
      'delete from audit where sequence > 45',
      { kind: 'cut', sequence: 46, what: 'the record ends with entry 45, and a checkpoint swears to 53' },
    ],
    ['no entries', 'delete from audit', { kind: 'cut', sequence: 1 }],
  ])('shows %s', async (_what, statement, fault) => {
    const verdict = await changed(() => database.exec(statement));
    expect(verdict.faults).toEqual([expect.objectContaining(fault)]);
  });

  test('that was rewritten as a whole shows by its checkpoints alone', async () => {
    const verdict = await changed(() => {
      database.exec("update audit set subject = 'operator:eve' where sequence = 20");
      rehash();
    });
    expect(verdict.faults).toEqual([
      {
        kind: 'rewritten',
        sequence: 17,
        what: 'entries 17 to 40 are not those that a checkpoint swears to',
      },
    ]);
    expect(verdict.verified).toBe(16);
  });

  test('that two checkpoints contradict each other about shows', async () => {
    const other = await signCheckpoint(
      { size: 16, root: Buffer.alloc(32), at: new Date(), revoked: 0 },
      key,
      signer,
    );
    expect((await verify(await collect(`${notes}${other}`))).faults).toEqual([
      expect.objectContaining({
        kind: 'rewritten',
        what: 'two different records of 16 entries were sworn to',
      }),
    ]);
  });

  test(`${mutations} mutations: none is missed`, { timeout: 1_200_000 }, async () => {
    const missed: string[] = [];
    const names = Object.keys(rowMutations);
    for (let seed = 1; seed <= mutations; seed += 1) {
      const random = seeded(seed);
      const kind = random.from(0, 9);
      const name = kind < 6 ? random.one(names) : kind < 8 ? 'rewritten' : 'checkpoint';
      const verdict =
        name === 'checkpoint'
          ? await verify(await collect(alterNotes(random)))
          : await changed(() => mutate(name, random));
      if (!isFound(verdict)) missed.push(`seed ${seed}: ${name}`);
    }
    expect(missed).toEqual([]);
  });
});

/** Any mutation, or one with all hashes made anew behind it. */
function mutate(name: string, random: Random): void {
  const whole = name === 'rewritten';
  rowMutations[whole ? random.one(rewritable) : name]?.(database, size, random);
  if (!whole) return;
  // As far as it can be made to look like a record.
  const rows = database.prepare<[], number>('select sequence from audit order by sequence').pluck().all();
  rows.forEach((sequence, index) => {
    if (sequence > index + 1)
      database.exec(`update audit set sequence = ${index + 1} where sequence = ${sequence}`);
  });
  rehash();
}

/** Those that leave another record when the hashes are made anew. */
const rewritable = Object.keys(rowMutations).filter(
  (name) => !['a bit of a hash', 'no hashes', 'a number changed'].includes(name),
);

function alterNotes({ flip, from }: Random): string {
  if (from(0, 3) > 0) return flip(Buffer.from(notes)).toString();
  const at = from(0, notes.length - 3);
  return notes.slice(0, at) + notes.slice(at + 1);
}
