import { expect, test } from 'vitest';
import { changesOf } from '../../scripts/bench/xds/changes.ts';
import { observeChange } from '../../scripts/bench/xds/measure.ts';
import { Proxies } from '../../scripts/bench/xds/proxies.ts';
import { registryFiles, type Shape, workloadsOf } from '../../scripts/bench/xds/registry.ts';
import { startBenchServer } from '../../scripts/bench/xds/server-process.ts';

/** `scripts/bench-xds`, small and without a clock: what is counted is the same with a thousand. */
test.each(['explicit', 'capture'] as const)(
  'a change costs what it touches, and is encoded once (%s)',
  async (mode) => {
    const shape: Shape = { workloads: 12, services: 8, policies: 8, mode };
    const workloads = workloadsOf(shape);
    await using server = await startBenchServer(registryFiles(shape));
    using proxies = new Proxies(server);
    await proxies.open(await server.ask('issue', workloads));
    expect((await server.ask('counters', { collect: false })).renders).toBe(workloads.length);
    for (const change of changesOf(shape, workloads)) {
      const { renders, tally } = await observeChange(server, proxies, change);
      const { what, concerns, resends } = change;
      expect({ what, renders, reached: tally.streams, resent: tally.resources }).toEqual({
        what,
        renders: concerns,
        reached: concerns,
        resent: resends,
      });
    }
    const { encoded, different, onceBytes, eachBytes } = await server.ask('encoded', workloads);
    expect(encoded).toBe(different);
    expect(eachBytes).toBeGreaterThan(onceBytes);
  },
);
