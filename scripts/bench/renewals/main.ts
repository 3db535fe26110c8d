import { parseArgs } from 'node:util';
import { runFleet } from './fleet.ts';
import { lifetime } from './server.ts';

const { values } = parseArgs({
  options: { agents: { type: 'string', default: '10000' }, minutes: { type: 'string', default: '90' } },
});
const [agents, minutes] = [Number(values.agents), Number(values.minutes)];
if (!(Number.isInteger(agents) && agents > 0 && Number.isInteger(minutes) && minutes >= 30)) {
  console.error('usage: bench-renewal-windows [--agents 10000] [--minutes 90]');
  process.exit(2);
}

const widest = 40;

async function main(): Promise<void> {
  const windows = await runFleet({ agents, minutes, windows: true });
  const alone = await runFleet({ agents, minutes, windows: false });
  const most = Math.max(...windows.slice(1), ...alone.slice(1));
  const bar = (count: number) => '#'.repeat(Math.ceil((count / most) * widest)).padEnd(widest);
  console.log(
    `${agents} certificates of ${lifetime / 60_000} minutes, issued in the first minute; renewals by the minute`,
  );
  console.log(`minute  ${'in the server’s windows'.padEnd(widest + 6)}  at half life with jitter alone`);
  for (let minute = 1; minute <= minutes; minute++) {
    const [a = 0, b = 0] = [windows[minute], alone[minute]];
    if (a + b === 0) continue;
    console.log(
      `${String(minute).padStart(6)}  ${String(a).padStart(5)} ${bar(a)}  ${String(b).padStart(5)} ${bar(b)}`.trimEnd(),
    );
  }
  // A fleet that renews at half life and is spread evenly.
  const even = agents / (lifetime / 2 / 60_000);
  const tell = (name: string, counts: readonly number[]) => {
    const renewals = counts.slice(1);
    const total = renewals.reduce((sum, count) => sum + count, 0);
    const first = renewals.findIndex((count) => count > 0);
    const mean = total / (renewals.length - first);
    const [busiest, later] = [Math.max(...renewals), Math.max(...renewals.slice(45))];
    console.log(
      `${name}: renewals ${total}, busiest minute ${busiest}, mean ${mean.toFixed(0)}, ratio ${(busiest / mean).toFixed(2)}; busiest after minute 45: ${later}, ratio to an even fleet's ${even.toFixed(0)}: ${(later / even).toFixed(2)}`,
    );
  };
  tell('windows', windows);
  tell('jitter alone', alone);
}

main().catch((error: unknown) => {
  process.stderr.write(`bench-renewal-windows: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
