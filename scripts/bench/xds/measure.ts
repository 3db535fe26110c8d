import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../../test/parts/index.ts';
import type { Change } from './changes.ts';
import type { Proxies, Tally } from './proxies.ts';
import type { BenchServer } from './server-process.ts';

/** Milliseconds without an ACK after which a change counts as done; longer than the server waits for more changes. */
const quiet = 400;

export interface Observed {
  readonly renders: number;
  /** What came to the proxies for it. */
  readonly tally: Tally;
  /** On the clock of the tally. */
  readonly begin: number;
  readonly cpuMilliseconds: number;
  readonly longestPause: number;
}

/** Makes a change, and waits until it has come to all whom it concerns and nothing more comes. */
export async function observeChange(
  server: BenchServer,
  proxies: Proxies,
  { what, file, text, concerns }: Change,
): Promise<Observed> {
  const before = await server.ask('counters', { collect: false });
  proxies.forget();
  const begin = performance.now();
  await server.write(file, text);
  await waitFor(() => proxies.tally().streams >= concerns, {
    what: `${concerns} proxies to get ${what}`,
    deadline: 60_000,
  });
  await waitFor(() => performance.now() - proxies.tally().last > quiet, {
    what: 'quiet',
    deadline: 60_000,
  });
  if (concerns === 0) await delay(2 * quiet);
  const after = await server.ask('counters', { collect: false });
  return {
    renders: after.renders - before.renders,
    tally: proxies.tally(),
    begin,
    cpuMilliseconds: after.cpuMilliseconds - before.cpuMilliseconds,
    longestPause: after.longestPause,
  };
}

/** Makes the changes one after the other, and prints of each what it cost and whom it reached. */
export async function measureChanges(
  server: BenchServer,
  proxies: Proxies,
  changes: readonly Change[],
  connected: number,
): Promise<void> {
  for (const change of changes) {
    const {
      renders,
      tally,
      begin,
      cpuMilliseconds: cpu,
      longestPause,
    } = await observeChange(server, proxies, change);
    const { acks, streams, first, last, bytes, distinctBytes, resources } = tally;
    const ms = (time: number) => Math.round(time - begin);
    console.log(`  ${change.what}`);
    console.log(
      `    renders ${renders} of ${connected} proxies, reached ${streams}, concerns ${change.concerns}, ACKs ${acks}`,
    );
    if (acks > 0) {
      console.log(
        `    first ACK after ${ms(first)} ms, last after ${ms(last)} ms (100 ms of them waiting for more changes)`,
      );
      const types = Object.entries(resources).map(([type, count]) => `${type} ${count}`);
      console.log(
        `    sent ${bytes} bytes, resources once ${distinctBytes}: ratio ${ratio(bytes, distinctBytes)}; ${types.join(', ')}`,
      );
    }
    console.log(
      `    server CPU ${cpu.toFixed(0)} ms, ${(cpu / Math.max(1, streams)).toFixed(2)} ms a proxy reached; longest pause ${longestPause.toFixed(0)} ms`,
    );
  }
}

export function ratio(one: number, other: number): string {
  return other === 0 ? '-' : (one / other).toFixed(one / other < 10 ? 2 : 0);
}

export function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
