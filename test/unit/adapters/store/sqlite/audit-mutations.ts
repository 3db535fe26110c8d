import type Database from 'better-sqlite3';

/** Numbers that a seed gives again and again (mulberry32). */
export function seeded(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  /** From `least` to `most`, both included. */
  const from = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  const flip = (bytes: Buffer): Buffer => {
    const flipped = Buffer.from(bytes);
    const at = from(0, bytes.length - 1);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << from(0, 7));
    return flipped;
  };
  return { from, flip, one: <T>(all: readonly T[]): T => all[from(0, all.length - 1)] as T };
}

export type Random = ReturnType<typeof seeded>;

const texts = ['action', 'outcome', 'subject', 'proof', 'target', 'reason', 'details'];
const content = ['at', ...texts];
const all = [...content, 'hashes'];

/** What somebody who can write the store's file may do to `size` entries, beside making all hashes anew. */
export const rowMutations: Readonly<
  Record<string, (database: Database.Database, size: number, random: Random) => void>
> = {
  'a bit of a text': (database, size, { from, flip, one }) => {
    const column = one(texts);
    const filled = database
      .prepare<[], number>(`select sequence from audit where length(${column}) > 0`)
      .pluck()
      .all();
    const sequence = one(filled.filter((each) => each <= size)) ?? from(1, size);
    const bytes = database
      .prepare<[number], Buffer>(`select cast(${column} as blob) from audit where sequence = ?`)
      .pluck()
      .get(sequence);
    database
      .prepare(`update audit set ${column} = cast(? as text) where sequence = ?`)
      .run(flip(bytes ?? Buffer.of(0)), sequence);
  },
  'a bit of a time': (database, size, { from }) => {
    database.exec(
      `update audit set at = (at | ${2 ** from(0, 40)}) - (at & ${2 ** from(41, 42)}) + 1 where sequence = ${from(1, size)}`,
    );
  },
  'a bit of a hash': (database, size, { from, flip }) => {
    const sequence = from(1, size);
    const bytes = database
      .prepare<[number], Buffer>('select hashes from audit where sequence = ?')
      .pluck()
      .get(sequence);
    database
      .prepare('update audit set hashes = ? where sequence = ?')
      .run(flip(bytes ?? Buffer.of()), sequence);
  },
  'no hashes': (database, size, { from, one }) => {
    database.exec(`update audit set hashes = ${one(['null', "x''"])} where sequence = ${from(1, size)}`);
  },
  'more in a text': (database, size, { from, one }) => {
    const column = one(texts);
    database.exec(
      `update audit set ${column} = ${one([`${column} || ' '`, `' ' || ${column}`, `${column} || char(0)`])} where sequence = ${from(1, size)}`,
    );
  },
  'bytes moved from one text to the next': (database, size, { from }) => {
    database.exec(
      `update audit set subject = subject || substr(proof, 1, 1), proof = substr(proof, 2) where sequence = ${from(1, size)}`,
    );
  },
  'another type': (database, size, { from, one }) => {
    const column = one(texts);
    database.exec(`update audit set ${column} = cast(${column} as blob) where sequence = ${from(1, size)}`);
  },
  removal: (database, size, { from }) => {
    database.exec(`delete from audit where sequence = ${from(1, size)}`);
  },
  'removal, the rest moved up': (database, size, { from }) => {
    const sequence = from(1, size);
    database.exec(`delete from audit where sequence = ${sequence}`);
    for (let each = sequence + 1; each <= size; each += 1)
      database.exec(`update audit set sequence = ${each - 1} where sequence = ${each}`);
  },
  'two entries swapped': (database, size, { from, one }) => {
    const a = from(1, size - 1);
    const b = from(a + 1, size);
    const columns = one([content, all]);
    const assigned = columns
      .map((column) => `${column} = (select ${column} from audit other where other.sequence = `)
      .map((begun) => `${begun}case audit.sequence when ${a} then ${b} else ${a} end)`);
    const copied = `create temp table swapped as select * from audit where sequence in (${a}, ${b})`;
    database.exec(
      `${copied}; update audit set ${assigned.join(', ').replaceAll('from audit other', 'from swapped other')} where sequence in (${a}, ${b}); drop table swapped`,
    );
  },
  'one entry over another': (database, size, { from, one }) => {
    const a = from(1, size - 1);
    const b = from(a + 1, size);
    const [source, target] = one([
      [a, b],
      [b, a],
    ]);
    const assigned = one([content, all]).map(
      (column) => `${column} = (select ${column} from audit other where other.sequence = ${source})`,
    );
    database.exec(`update audit set ${assigned.join(', ')} where sequence = ${target}`);
  },
  'one entry twice, the rest moved down': (database, size, { from }) => {
    const sequence = from(1, size);
    for (let each = size; each > sequence; each -= 1)
      database.exec(`update audit set sequence = ${each + 1} where sequence = ${each}`);
    copy(database, sequence, sequence + 1);
  },
  'a foreign entry, the rest moved down': (database, size, { from }) => {
    const sequence = from(1, size);
    for (let each = size; each >= sequence; each -= 1)
      database.exec(`update audit set sequence = ${each + 1} where sequence = ${each}`);
    copy(database, sequence + 1, sequence);
    database.exec(`update audit set reason = reason || 'forged' where sequence = ${sequence}`);
  },
  'an entry at the end': (database, size, { from }) => {
    copy(database, from(1, size), size + 1);
  },
  'an entry where none can stand': (database, size, { from, one }) => {
    copy(database, from(1, size), one([0, -1, -from(2, 1_000_000), size + from(2, 1000)]));
  },
  'a number changed': (database, size, { from }) => {
    database.exec(`update audit set sequence = ${size + from(2, 9999)} where sequence = ${from(1, size)}`);
  },
  'the end cut off': (database, size, { from }) => {
    database.exec(`delete from audit where sequence > ${from(0, size - 1)}`);
  },
};

function copy(database: Database.Database, from: number, to: number): void {
  database.exec(
    `insert into audit (sequence, ${all.join(', ')}) select ${to}, ${all.join(', ')} from audit where sequence = ${from}`,
  );
}
