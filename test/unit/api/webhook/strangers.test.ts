import { expect, test } from 'vitest';
import { createStrangers } from '../../../../src/api/webhook/strangers.ts';

/** Milliseconds of work within a time, of callers who ask whenever they may and make as much work as they can. */
function worked(peers: number, callsPerSecond: number, milliseconds: number, each: number): number {
  let now = 0;
  let work = 0;
  const strangers = createStrangers(callsPerSecond, () => now);
  for (; now < milliseconds; now += 1) {
    const peer = `10.0.0.${now % peers}`;
    if (!strangers.admit(peer)) continue;
    work += each;
    strangers.worked(peer, each);
  }
  return work;
}

test.each([
  ['one address', 1, 0.1],
  ['many', 100, 0.2],
])('%s gets its share of the process alone, however dear each question', (_who, peers, share) => {
  const minute = 60_000;
  for (const each of [1, 100, 1_000]) {
    const burst = 0.8 * 1_000 + each;
    expect(worked(peers, 50, minute, each)).toBeLessThanOrEqual(share * minute + burst);
  }
  expect(worked(peers, 50, minute, 100)).toBeGreaterThan(0.8 * share * minute);
});
