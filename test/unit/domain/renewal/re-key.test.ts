import { afterEach, describe, expect, test } from 'vitest';
import type { ReKeyingCounts } from '../../../../src/domain/ports/index.ts';
import { firstPace, leastOut } from '../../../../src/domain/renewal/pace.ts';
import type { HeldLeaf } from '../../../../src/domain/renewal/plan.ts';
import { followedWithin, ReKeyQueue } from '../../../../src/domain/renewal/re-key.ts';

const leaf = (name: string, issuer = 'old'): HeldLeaf => ({
  serial: `${name}-${issuer}`,
  proxyKey: name,
  issuer,
  issuedAt: new Date(0),
  notAfter: new Date(3_600_000),
});

/** A queue on a clock that the test moves. */
function world() {
  let now = 0;
  let wake: (() => void) | undefined;
  const superseded = new Set<string>();
  const told: string[] = [];
  const state = { busy: false, progress: undefined as ReKeyingCounts | undefined };
  const queue = new ReKeyQueue({
    isSuperseded: (issuer) => superseded.has(issuer),
    isBusy: () => state.busy,
    onProgress: (counts) => {
      state.progress = counts;
    },
    clock: {
      now: () => new Date(now),
      sleep: (milliseconds, signal) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
          wake = () => {
            now += milliseconds;
            resolve();
          };
        }),
    },
  });
  const watch = (name: string, issuer = 'old') => queue.watch(leaf(name, issuer), () => told.push(name));
  /** Half a second goes by. */
  const look = async () => {
    wake?.();
    await new Promise(setImmediate);
  };
  const taint = () => {
    superseded.add('old');
    queue.look();
  };
  return {
    queue,
    state,
    told,
    watch,
    look,
    taint,
    issued: (name: string) => queue.issued(leaf(name, 'new')),
  };
}

let opened: ReturnType<typeof world> | undefined;
afterEach(() => opened?.queue.close());
function start() {
  opened = world();
  return opened;
}
const names = (count: number) => Array.from({ length: count }, (_, index) => `agent-${index}`);

describe('orders for new keys', () => {
  test('leave a proxy of many streams no more places than two, and go to all of them in the end', async () => {
    const { watch, taint, told, look, issued } = start();
    const streams = names(3 * leastOut).map(() => watch('greedy'));
    for (const name of names(leastOut)) watch(name);
    taint();
    expect(told).toHaveLength(leastOut);
    expect(told.filter((name) => name === 'greedy')).toHaveLength(2);
    // Its streams end with the certificate that is replaced; the next of them have their turn.
    for (const end of streams.slice(0, 2)) end();
    for (const name of names(leastOut)) issued(name);
    await look();
    expect(told.filter((name) => name === 'greedy')).toHaveLength(4);
    expect(new Set(told)).toStrictEqual(new Set(['greedy', ...names(leastOut)]));
  });

  test('go to who is under the tainted authority, and once each', () => {
    const { watch, taint, told, queue } = start();
    watch('a');
    watch('other', 'new');
    expect(told).toEqual([]);
    taint();
    queue.look();
    watch('b');
    expect(told).toEqual(['a', 'b']);
  });

  test('go out in turn, the next when one before was followed; who has gone gives his place', () => {
    const { watch, taint, told, issued, queue } = start();
    const all = names(firstPace.limit + 3);
    const stops = all.map((name) => watch(name));
    taint();
    expect(told).toEqual(all.slice(0, firstPace.limit));
    issued('agent-3');
    expect(told).toHaveLength(firstPace.limit + 1);
    stops[0]?.();
    expect(told).toHaveLength(firstPace.limit + 2);
    // Who came by himself needs no order.
    issued(`agent-${firstPace.limit + 2}`);
    issued('agent-4');
    expect(told).toHaveLength(firstPace.limit + 2);
    expect(queue.counts('old')).toMatchObject({ waiting: 0, followed: 3, ordered: firstPace.limit - 1 });
    expect(queue.counts('new')).toMatchObject({ waiting: 0, followed: 0, ordered: 0 });
  });

  test('are followed by a certificate of another authority alone', () => {
    const { watch, taint, queue } = start();
    watch('a');
    taint();
    queue.issued(leaf('a', 'old'));
    expect(queue.counts('old')).toMatchObject({ ordered: 1, followed: 0 });
  });

  test('come faster while the server is at ease, and slower once it is busy', async () => {
    const { watch, taint, told, look, state, issued, queue } = start();
    for (const name of names(1000)) watch(name);
    taint();
    const follow = (count: number) => {
      const before = queue.counts().followed;
      for (let one = before; one < before + count; one++) issued(`agent-${one}`);
    };
    const out = () => queue.counts().ordered;
    for (let looks = 0; looks < 3; looks++) {
      follow(out());
      await look();
    }
    expect(out()).toBe(48);
    follow(48);
    await look();
    expect(out()).toBe(72);
    state.busy = true;
    for (let looks = 0; looks < 10; looks++) await look();
    const before = told.length;
    // Half as many may be out: nobody is told before the others have followed.
    follow(72 - leastOut);
    expect(told).toHaveLength(before);
    follow(1);
    expect(told).toHaveLength(before + 1);
  });

  test('tell how fast they are followed, and when the last will be', async () => {
    const { watch, taint, look, state, issued } = start();
    for (const name of names(100)) watch(name);
    taint();
    expect(state.progress).toMatchObject({ waiting: 68, ordered: 32, expectedEnd: undefined });
    for (const name of names(10)) issued(name);
    await look();
    expect(state.progress).toMatchObject({ followed: 10, perSecond: 20 });
    expect(state.progress?.expectedEnd).toEqual(new Date(500 + (90 / 20) * 1000));
    for (const name of names(100)) issued(name);
    await look();
    expect(state.progress).toMatchObject({ waiting: 0, ordered: 0, followed: 100 });
  });

  test('go to each client of one pod: that the one came says nothing of the other', async () => {
    const { watch, taint, told, look, issued, queue } = start();
    const stops = [watch('pod'), watch('pod')];
    taint();
    expect(told).toEqual(['pod', 'pod']);
    issued('pod');
    stops[0]?.();
    expect(queue.counts('old')).toMatchObject({ ordered: 1, followed: 1 });
    // Whose stream stays has not come, whoever of the two it was.
    for (let passed = 0; passed <= followedWithin; passed += 500) await look();
    expect(told).toEqual(['pod', 'pod', 'pod']);
  });

  test('are given again to who does not follow, behind all others', async () => {
    const { watch, taint, told, look } = start();
    watch('deaf');
    taint();
    for (let passed = 0; passed < followedWithin; passed += 500) {
      expect(told).toEqual(['deaf']);
      await look();
    }
    expect(told).toEqual(['deaf', 'deaf']);
  });
});
