import { describe, expect, it } from 'vitest';
import { Flights } from '../../../../src/adapters/kubernetes/token/flights.ts';
import { VerdictCache } from '../../../../src/adapters/kubernetes/token/verdict-cache.ts';

const owner = { namespace: 'shop', serviceAccount: 'web' };
const options = { ttl: 10_000, entries: 2, refusedTtl: 2000, refusedEntries: 2 };
const at = (milliseconds: number) => new Date(1_000_000 + milliseconds);
const never = new AbortController().signal;

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('VerdictCache', () => {
  it('remembers for its time, and never past the expiry of the token', () => {
    const cache = new VerdictCache(options);
    cache.set('long', owner, at(60_000), at(0));
    cache.set('short', owner, at(3000), at(0));
    expect(cache.get('long', at(9999))).toBe(owner);
    expect(cache.get('long', at(10_000))).toBeUndefined();
    expect(cache.get('short', at(2999))).toBe(owner);
    expect(cache.get('short', at(3000))).toBeUndefined();
  });

  it('lets refused tokens push out refused ones alone', () => {
    const cache = new VerdictCache(options);
    cache.set('good', owner, undefined, at(0));
    for (let i = 0; i < 100; i += 1) cache.set(`junk-${i}`, { refused: 'junk' }, undefined, at(0));
    expect(cache.get('good', at(1))).toBe(owner);
    expect(cache.get('junk-0', at(1))).toBeUndefined();
    expect(cache.get('junk-99', at(1))).toEqual({ refused: 'junk' });
    expect(cache.get('junk-99', at(2000))).toBeUndefined();
  });
});

describe('Flights', () => {
  it('joins calls while one is under way, and starts anew afterwards', async () => {
    const flights = new Flights<number>();
    const { opened, open } = gate();
    let started = 0;
    const work = async () => {
      started += 1;
      await opened;
      return started;
    };
    const both = Promise.all([flights.join('a', never, work), flights.join('a', never, work)]);
    open();
    expect(await both).toEqual([1, 1]);
    expect(await flights.join('a', never, work)).toBe(2);
  });

  it('aborts the work when the last waiter has left, not before', async () => {
    const flights = new Flights<void>();
    const first = new AbortController();
    const second = new AbortController();
    let shared: AbortSignal | undefined;
    const work = async (signal: AbortSignal) => {
      shared = signal;
      await new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    };
    const waits = [flights.join('a', first.signal, work), flights.join('a', second.signal, work)];
    first.abort();
    await expect(waits[0]).rejects.toThrow('aborted');
    expect(shared?.aborted).toBe(false);
    second.abort();
    await expect(waits[1]).rejects.toThrow('aborted');
    expect(shared?.aborted).toBe(true);
  });

  it('gives a failure to all that wait, and forgets it', async () => {
    const flights = new Flights<number>();
    const fail = () => Promise.reject(new Error('down'));
    await expect(flights.join('a', never, fail)).rejects.toThrow('down');
    expect(await flights.join('a', never, async () => 1)).toBe(1);
  });
});
