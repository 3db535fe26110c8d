import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { startProcess } from '../../test/parts/index.ts';
import { residentMebibytes, startCompiled, startRunningServer } from './running.ts';

/** Long enough for start-up's garbage to go. */
const idleMilliseconds = 10_000;

/** Resident memory of an idle server, of an idle agent, and of Node with nothing loaded, for comparison. */
export async function residentMemory(): Promise<void> {
  await using server = await startRunningServer();
  const { directory, port, tokenFile, bundleFile } = server;
  const config = join(directory, 'agent.yaml');
  await writeFile(
    config,
    stringify({
      trustDomain: 'bench.example',
      server: { address: `127.0.0.1:${port}`, name: 'localhost', trust: { bundleFile } },
      token: { file: tokenFile },
      socket: { path: join(directory, 'agent.sock') },
    }),
  );
  await using agent = await startCompiled(
    'citadel agent',
    ['agent', '--config', config],
    /"message":"first certificate"/,
  );
  await using bare = await startProcess(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], {
    name: 'node',
  });
  await delay(idleMilliseconds);
  console.log('\nResident memory when idle (MiB; compiled, --max-semi-space-size=1)');
  for (const [name, pid] of [
    ['server', server.pid],
    ['agent', agent.pid],
    ['node alone', bare.pid],
  ] as const) {
    console.log(`  ${name.padEnd(12)}${(await residentMebibytes(pid)).toFixed(0).padStart(5)}`);
  }
}
