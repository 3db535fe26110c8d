import { expect, test } from 'vitest';
import { runFleet } from '../../scripts/bench/renewals/fleet.ts';

/** `scripts/bench-renewal-windows`, small: the agents' own loop against the server's own issuance. */
test('agents that hear the server’s windows come back spread, others in a few minutes', async () => {
  const fleet = { agents: 60, minutes: 45 };
  const windows = await runFleet({ ...fleet, windows: true });
  const alone = await runFleet({ ...fleet, windows: false });
  for (const counts of [windows, alone]) {
    expect(counts[0]).toBe(60);
    expect(counts.slice(1).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(60);
    expect(Math.max(...counts.slice(1, 20))).toBe(0);
  }
  // 60 on 40 half minutes: two in each at the most, and a minute touches three.
  expect(Math.max(...windows.slice(1))).toBeLessThanOrEqual(6);
  // 60 on the tenth of an hour about half life, and the minute of their issuance: eight minutes at the most.
  expect(Math.max(...alone.slice(1))).toBeGreaterThanOrEqual(8);
});
