import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createKeySets, readKeySet } from '../../../../src/domain/jwks/index.ts';
import type { KeptKeySet, KeySetCounts, KeySetLocation } from '../../../../src/domain/ports/index.ts';
import { CitadelError, silentLog } from '../../../../src/kernel/index.ts';
import { waitFor } from '../../../parts/index.ts';

const newSet = () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return readKeySet(JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })).jwks;
};
const uri = 'https://id.example/keys';
const id = `jwks:${uri}`;
const wanting = (...uris: readonly string[]) =>
  new Map(
    uris.map((each) => [
      `jwks:${each}`,
      {
        id: `jwks:${each}`,
        location: { kind: 'jwks' as const, uri: each },
        timeout: 5_000,
        // The host's name here stands for the author's.
        namespaces: new Set([new URL(each).host]),
      },
    ]),
  );

type Answer = (location: KeySetLocation, signal: AbortSignal) => Promise<string>;

/** A clock whose sleepers wake when a test says so. */
function setup(answer: Answer, kept = new Map<string, KeptKeySet>()) {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const sleeping: { pause: number; wake: () => void }[] = [];
  const state = { answer, allowed: true, asked: 0, counts: undefined as KeySetCounts | undefined };
  const changed = vi.fn();
  const sets = createKeySets({
    source: {
      allows: () => state.allowed,
      fetch: (location, signal) => {
        state.asked += 1;
        return state.answer(location, signal);
      },
    },
    archive: {
      load: (key) => Promise.resolve(kept.get(key)),
      save: (key, value) => Promise.resolve(void kept.set(key, value)),
      retain(ids) {
        for (const key of kept.keys()) if (!ids.has(key)) kept.delete(key);
        return Promise.resolve();
      },
    },
    refresh: 1_200_000,
    metrics: { keySetFetched: () => {}, keySets: (counts) => void (state.counts = counts) },
    clock: {
      now: () => new Date(now),
      sleep: (pause, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) reject(new Error('aborted'));
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
          sleeping.push({ pause, wake: resolve });
        }),
    },
    entropy: { bytes: () => new Uint8Array(), fraction: () => 0.5 },
    log: silentLog,
  });
  sets.start(changed);
  onTestFinished(() => sets.close());
  return {
    sets,
    state,
    kept,
    changed,
    /** Waits until all is asleep, then lets its time pass. */
    pass: async () => {
      const next = await waitFor(() => sleeping.shift(), { what: 'the end of a look' });
      now += next.pause;
      next.wake();
      await waitFor(() => sleeping.length > 0, { what: 'the end of the next look' });
      return next.pause;
    },
  };
}

/** Answers when it is given up only. */
const silent: Answer = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });
const away: Answer = () => Promise.reject(new CitadelError('Unavailable', 'it is away'));

describe('key sets', () => {
  test('are read at once, and told when there is something new only', async () => {
    const first = newSet();
    const { sets, state, changed, pass } = setup(() => Promise.resolve(first));
    sets.follow(wanting(uri));
    expect(sets.isPending(id)).toBe(true);
    await sets.settled();
    expect(sets.isPending(id)).toBe(false);
    expect(sets.content()).toEqual(new Map([[id, first]]));
    expect(changed).toHaveBeenCalledTimes(1);
    expect(await pass()).toBe(1_200_000);
    expect(state.asked).toBe(2);
    expect(changed).toHaveBeenCalledTimes(1);
    const second = newSet();
    state.answer = () => Promise.resolve(second);
    await pass();
    expect(sets.content().get(id)).toBe(second);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test('stay while their provider is away, however long, and say how old they are', async () => {
    const first = newSet();
    const { sets, state, changed, pass } = setup(() => Promise.resolve(first));
    sets.follow(wanting(uri));
    await sets.settled();
    state.answer = away;
    const pauses = [];
    for (let look = 0; look < 12; look += 1) pauses.push(await pass());
    expect(pauses.slice(0, 5)).toEqual([1_200_000, 1_000, 1_500, 2_500, 4_500]);
    expect(pauses.at(-1)).toBe(150_500);
    expect(sets.content().get(id)).toBe(first);
    expect(sets.states()).toMatchObject([
      { fetchedAt: new Date('2030-01-01T00:00:00Z'), problem: 'it is away' },
    ]);
    expect(state.counts).toMatchObject({ current: 0, stale: 1, missing: 0 });
    expect(changed).toHaveBeenCalledTimes(1);
    state.answer = () => Promise.resolve(first);
    await pass();
    expect(sets.states()[0]?.problem).toBeUndefined();
  });

  test('are none after a first failure, which is no longer waited for', async () => {
    const { sets, state, changed } = setup(away);
    sets.follow(wanting(uri));
    await sets.settled();
    expect(sets.isPending(id)).toBe(false);
    expect(sets.content().size).toBe(0);
    expect(sets.states()).toMatchObject([{ fetchedAt: undefined, problem: 'it is away' }]);
    expect(state.counts).toMatchObject({ missing: 1 });
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['a set that publishes a secret', '{"keys":[{"kty":"oct","k":"AA"}]}'],
    ['a page for people', '<html>'],
    ['keys of a kind that proxies do not know', '{"keys":[{"kty":"AKP","alg":"ML-DSA-65","pub":"AA"}]}'],
    [
      'a key whose alg is another kind’s, which Envoy refuses with the filter of all rules',
      JSON.stringify({
        keys: [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), alg: 'ES256' }],
      }),
    ],
  ])('do not give way to %s', async (_what, text) => {
    const first = newSet();
    const { sets, state, pass } = setup(() => Promise.resolve(first));
    sets.follow(wanting(uri));
    await sets.settled();
    state.answer = () => Promise.resolve(text);
    await pass();
    expect(sets.content().get(id)).toBe(first);
    expect(sets.states()[0]?.problem).toMatch(/^what is published /);
  });

  test('are remembered over a restart at which the provider is away', async () => {
    const first = newSet();
    const before = setup(() => Promise.resolve(first));
    before.sets.follow(wanting(uri));
    await before.sets.settled();
    await waitFor(() => before.kept.size === 1, { what: 'the keys to be kept' });
    await before.sets.close();
    const after = setup(silent, before.kept);
    after.sets.follow(wanting(uri));
    await after.sets.settled();
    expect(after.sets.content().get(id)).toBe(first);
  });

  test('are remembered no more where the operator does not let it be asked any more', async () => {
    const earlier = { jwks: newSet(), fetchedAt: new Date('2029-01-01T00:00:00Z') };
    const { sets, state } = setup(
      () => Promise.reject(new CitadelError('PermissionDenied', 'it is none of mesh.jwks.allow')),
      new Map([[id, earlier]]),
    );
    state.allowed = false;
    sets.follow(wanting(uri));
    await sets.settled();
    expect(sets.content().size).toBe(0);
  });

  test('are given up when no policy names them, and the look under way with them', async () => {
    let ended: AbortSignal | undefined;
    const { sets } = setup((location, signal) => {
      ended = signal;
      return silent(location, signal);
    });
    sets.follow(wanting(uri));
    await waitFor(() => ended !== undefined, { what: 'a look' });
    sets.follow(wanting());
    expect(ended?.aborted).toBe(true);
    expect(sets.states()).toEqual([]);
  });

  test('are forgotten when no policy names them any more, those of an earlier run too', async () => {
    const other = 'https://id.example/other';
    const earlier = { jwks: newSet(), fetchedAt: new Date('2029-01-01T00:00:00Z') };
    const { sets, kept } = setup(() => Promise.resolve(newSet()), new Map([['jwks:earlier', earlier]]));
    sets.follow(wanting(uri, other));
    await waitFor(() => kept.size === 2 && !kept.has('jwks:earlier'), { what: 'both to be kept' });
    sets.follow(wanting(other));
    await waitFor(() => !kept.has(id), { what: 'one to be forgotten' });
    expect([...kept.keys()]).toEqual([`jwks:${other}`]);
  });

  test('are at most a thousand, of which an author with too many gets what others leave', async () => {
    const { sets, state } = setup(away);
    const many = Array.from({ length: 1_000 }, (_, index) => `https://a.example/${index}`);
    sets.follow(wanting(...many));
    await sets.settled();
    expect(state.asked).toBe(1_000);
    sets.follow(wanting(...many, uri));
    await sets.settled();
    expect(state.asked).toBe(1_001);
    const refused = sets.states().filter(({ problem }) => problem?.startsWith('more than 1000'));
    expect(refused).toMatchObject([{ location: { uri: 'https://a.example/999' } }]);
  });

  test('of a provider that never answers leave their turn to those of others', async () => {
    const first = newSet();
    const { sets } = setup((location, signal) =>
      'uri' in location && location.uri === uri ? Promise.resolve(first) : silent(location, signal),
    );
    const many = Array.from({ length: 20 }, (_, index) => `https://slow.example/${index}`);
    sets.follow(wanting(...many, uri));
    await waitFor(() => sets.content().has(id), { what: 'the keys of another' });
    expect(sets.isPending(`jwks:${many[0]}`)).toBe(true);
  });
});
