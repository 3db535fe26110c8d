import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../../src/domain/audit/checkpoint.ts';
import {
  type CheckpointService,
  createCheckpointService,
  createKeptPlaces,
  noteKeyOf,
} from '../../../../src/domain/audit/index.ts';
import type { AuditLog, CheckpointPlace } from '../../../../src/domain/ports/index.ts';
import { CitadelError, silentLog } from '../../../../src/kernel/index.ts';
import { localSigner } from '../../../../src/pki/index.ts';
import { auditEvent } from '../../../contract/store-samples.ts';
import { memoryAudit } from '../../../fakes/memory-audit.ts';

const signer = localSigner(generateKeyPairSync('ed25519').privateKey);
const key = noteKeyOf('example.org/audit/0123456789abcdef', signer);

/** A place that can be away, slow, or written by another. */
function memoryPlace(name = 'file') {
  const place = {
    name,
    notes: [] as string[],
    away: false,
    held: Promise.resolve(),
    last: async () => {
      if (place.away) throw new CitadelError('Unavailable', `${name} is away`);
      return place.notes.at(-1);
    },
    put: async (note: string, after: string | undefined) => {
      await place.held;
      if (place.away) throw new CitadelError('Unavailable', `${name} is away`);
      if (place.notes.at(-1) !== after) throw new CitadelError('Aborted', 'written by another');
      place.notes.push(note);
    },
    close: async () => {},
  };
  return place satisfies CheckpointPlace;
}

const sizes = (place: { readonly notes: readonly string[] }) =>
  place.notes.map((note) => openCheckpoint(note, key).size);

let log: AuditLog;
let now: number;
const options = {
  key,
  signer,
  everyEntries: 10,
  interval: 60_000,
  clock: { now: () => new Date(now), sleep: async () => {} },
  logger: silentLog,
};
const service = (...places: CheckpointPlace[]): CheckpointService =>
  createCheckpointService({ ...options, log, places });
const append = async (count: number, target = 'x') => {
  for (let index = 0; index < count; index += 1) await log.append(auditEvent({ target }));
};

beforeEach(() => {
  log = memoryAudit();
  now = 1_800_000_000_000;
});

describe('checkpoints', () => {
  it('are due after so many entries, or so long where there are new ones, and at the end', async () => {
    const place = memoryPlace();
    const checkpoints = service(place);
    await checkpoints.requireAgreement();
    await checkpoints.tick();
    expect(sizes(place)).toEqual([]);
    await append(1);
    await checkpoints.tick();
    expect(sizes(place)).toEqual([1]);
    await append(9);
    await checkpoints.tick();
    expect(sizes(place)).toEqual([1]);
    await append(1);
    await checkpoints.tick();
    expect(sizes(place)).toEqual([1, 11]);
    await append(1);
    now += 59_999;
    await checkpoints.tick();
    expect(sizes(place)).toEqual([1, 11]);
    now += 1;
    await checkpoints.tick();
    now += 600_000;
    await checkpoints.tick();
    expect(sizes(place)).toEqual([1, 11, 12]);
    await append(1);
    await checkpoints.finish();
    await checkpoints.finish();
    expect(sizes(place)).toEqual([1, 11, 12, 13]);
  });

  it('are not put off by whoever asks for a signed head', async () => {
    const place = memoryPlace();
    const checkpoints = service(place);
    await append(1);
    await checkpoints.tick();
    await append(1);
    now += 60_000;
    expect((await checkpoints.sign()).size).toBe(2);
    await checkpoints.tick();
    expect(sizes(place)).toEqual([1, 2]);
  });

  it('reach the other places while one is away or slow, which catches up', async () => {
    const [near, far] = [memoryPlace('file'), memoryPlace('vault')];
    let release = () => {};
    far.held = new Promise((done) => {
      release = done;
    });
    const checkpoints = service(near, far);
    await append(10);
    const slow = checkpoints.tick();
    while (near.notes.length === 0) await Promise.resolve().then(() => new Promise(setImmediate));
    await append(10);
    await checkpoints.tick();
    expect(sizes(near)).toEqual([10, 20]);
    release();
    await slow;
    far.away = true;
    now += 1000;
    await append(10);
    await checkpoints.tick();
    expect(checkpoints.states()[1]).toMatchObject({
      place: 'vault',
      problem: 'vault is away',
      disagrees: false,
    });
    far.away = false;
    now += 60_000;
    await checkpoints.tick();
    expect(sizes(far)).toEqual([10, 30]);
    expect(checkpoints.states()[1]).toMatchObject({ size: 30, problem: undefined, since: undefined });
  });

  it('refuse an older record at the start', async () => {
    const place = memoryPlace();
    await append(5);
    await service(place).finish();
    log = memoryAudit();
    await append(4);
    await expect(service(place).requireAgreement()).rejects.toMatchObject({ code: 'FailedPrecondition' });
    // As long again, and another.
    await append(2, 'y');
    await expect(service(place).requireAgreement()).rejects.toThrow('was rewritten, or is another one');
  });

  it('are missed where a place has kept them and keeps none any more, not on a new place', async () => {
    const place = memoryPlace();
    const remembering = (of: CheckpointPlace) => {
      const kept = createKeptPlaces(log, { now: () => new Date(now) });
      return createCheckpointService({ ...options, log, places: [of], kept });
    };
    await append(5);
    const first = remembering(place);
    await first.requireAgreement();
    await first.finish();
    // What says so is sworn to, too.
    expect(sizes(place)).toEqual([5, 6]);
    const again = remembering(place);
    await again.requireAgreement();
    await again.finish();
    expect(sizes(place)).toEqual([5, 6]);
    place.notes.length = 0;
    await expect(remembering(place).requireAgreement()).rejects.toThrow('keeps none any more');
    await remembering(memoryPlace('vault')).requireAgreement();
    // Away at the start, and empty when it is back.
    place.away = true;
    const late = remembering(place);
    await late.requireAgreement();
    place.away = false;
    now += 60_000;
    await append(1);
    await late.tick();
    expect([late.states()[0]?.disagrees, place.notes]).toStrictEqual([true, []]);
    // Emptied while the server runs it begins anew: the store is the one that was compared.
    const other = memoryPlace('vault');
    const running = remembering(other);
    await running.requireAgreement();
    await running.tick();
    const { length } = other.notes;
    other.notes.length = 0;
    await append(20);
    await running.tick();
    now += 60_000;
    await running.tick();
    expect([length, other.notes.length, running.states()[0]?.problem]).toStrictEqual([2, 1, undefined]);
  });

  it('are overdue where entries have waited for longer than they may', async () => {
    const place = memoryPlace();
    place.away = true;
    const checkpoints = service(place);
    await append(1);
    await checkpoints.tick();
    const waitingSince = new Date(now);
    now += 240_000;
    expect(checkpoints.states()).toMatchObject([{ at: undefined, waitingSince, overdue: false }]);
    now += 1;
    expect(checkpoints.states()).toMatchObject([{ overdue: true }]);
    place.away = false;
    await checkpoints.tick();
    expect(checkpoints.states()).toMatchObject([
      { at: new Date(now), waitingSince: undefined, overdue: false },
    ]);
  });

  it('are never written over those of another record, also where they come back later', async () => {
    const place = memoryPlace();
    await append(5);
    await service(place).finish();
    log = memoryAudit();
    await append(9, 'another');
    place.away = true;
    const checkpoints = service(place);
    await checkpoints.requireAgreement();
    place.away = false;
    now += 60_000;
    await checkpoints.tick();
    await checkpoints.finish();
    expect(sizes(place)).toEqual([5]);
    expect(checkpoints.states()[0]).toMatchObject({ disagrees: true });
  });

  it('go on after one whose writing was not heard of', async () => {
    const place = memoryPlace();
    const checkpoints = service(place);
    await append(1);
    await checkpoints.tick();
    const { put } = place;
    place.put = async (note, after) => {
      await put(note, after);
      throw new CitadelError('Unavailable', 'no answer in time');
    };
    await append(10);
    await checkpoints.tick();
    place.put = put;
    now += 60_000;
    await append(10);
    await checkpoints.tick();
    expect(sizes(place)).toEqual([1, 11, 21]);
  });

  it('are not believed of another key', async () => {
    const place = memoryPlace();
    await append(1);
    await service(place).finish();
    const other = localSigner(generateKeyPairSync('ed25519').privateKey);
    const checkpoints = createCheckpointService({
      log,
      places: [place],
      key: noteKeyOf(key.name, other),
      signer: other,
      everyEntries: 1,
      interval: 1000,
      clock: { now: () => new Date(now), sleep: async () => {} },
      logger: silentLog,
    });
    await expect(checkpoints.requireAgreement()).rejects.toThrow("the last checkpoint is not this server's");
  });
});
