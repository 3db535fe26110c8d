import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { z } from 'zod';
import { createDevelopmentTokenIssuer } from '../../src/adapters/development/index.ts';
import { Secret, systemClock } from '../../src/kernel/index.ts';
import { freePort, temporaryDirectory, waitFor } from '../../test/parts/index.ts';
import { type Fleet, type FleetAgent, startFleet } from '../../test/support/fleet/index.ts';
import { citadel, startCitadel } from './citadel.ts';
import { startVisitor } from './drill/visitor.ts';
import { bundleFromOperator, developmentPlatform } from './platform.ts';

const { values: given } = parseArgs({
  options: {
    agents: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '10' },
  },
});
const size = Number(given.agents);
const patience = Number(given.minutes) * 60_000;
if (!(Number.isInteger(size) && size > 0 && patience > 0)) {
  console.error('usage: drill-taint [--agents 1000] [--minutes 10]');
  process.exit(2);
}

const trustDomain = 'drill.example';
/** An agent does not give a certificate away sooner than this after it got it, whatever the server says. */
const settled = 5_000;

const authorities = z.object({
  authorities: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      state: z.string(),
      fingerprint: z.string(),
      reKeying: z
        .object({
          superseded: z.boolean(),
          holders: z.number(),
        })
        .optional(),
    }),
  ),
});

type Operator = (...args: readonly string[]) => Promise<string>;

async function issuingAuthorities(operator: Operator) {
  const listed: unknown = JSON.parse(await operator('authority', 'list', '-o', 'json'));
  return authorities.parse({ authorities: listed }).authorities.filter(({ kind }) => kind === 'issuing');
}

/** A server as in production but for its tokens: a process of its own, SQLite and keys on disk. */
async function startServer(stack: AsyncDisposableStack) {
  const { path: directory } = stack.use(await temporaryDirectory('drill'));
  const [port, metrics] = [await freePort(), await freePort()];
  const platform = developmentPlatform();
  const data = join(directory, 'data');
  const config = join(directory, 'citadel.yaml');
  await writeFile(
    config,
    stringify({
      mode: 'development',
      trustDomain,
      dataDirectory: data,
      listen: { csr: `127.0.0.1:${port}`, metrics: `127.0.0.1:${metrics}`, operator: '127.0.0.1:0' },
      certificate: { defaultTtl: '1h' },
      // All agents come from one address here.
      limits: { callsPerSecondPerPeer: 100_000 },
      log: { level: 'warn' },
      ...(await platform.serverSettings(directory)),
    }),
  );
  stack.use(await startCitadel('citadel server', ['server', '--config', config]));
  await waitFor(async () => (await fetch(`http://127.0.0.1:${metrics}/readyz`)).ok, { what: 'the server' });
  const operator: Operator = (...args) => citadel(...args, '--socket', join(data, 'operator.sock'));
  const issuer = await createDevelopmentTokenIssuer(
    new Secret(await readFile(join(directory, 'development-issuer.pem'), 'utf8')),
    systemClock,
  );
  const bundleFile = await bundleFromOperator(directory, operator);
  const token = (name: string) =>
    issuer.issue({ namespace: 'fleet', serviceAccount: name, instance: name }, 'istio-ca', 4 * 3_600_000);
  /** The samples of this moment, by name and labels as they are written. */
  const samples = async () => {
    const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    const values = new Map(
      text.split('\n').map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
    );
    return (name: string) => values.get(name) ?? Number.NaN;
  };
  return { directory, port, operator, bundleFile, token, metrics: samples };
}

/** What proves that an agent has made a new key: it is another one, and the certificate's issuer is another. */
function holding(agent: FleetAgent) {
  const identity = agent.snapshot?.identity;
  if (identity === undefined) return undefined;
  const [leaf] = identity.chain;
  return { issuer: identity.issuer, key: Buffer.from(leaf?.fields.spki ?? []).toString('base64') };
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const server = await startServer(stack);
  const { operator, port } = server;
  const started = performance.now();
  const fleet: Fleet = stack.use(
    await startFleet({
      size,
      directory: join(server.directory, 'f'),
      trustDomain,
      bundleFile: server.bundleFile,
      token: ({ name }) => server.token(name),
      serverPort: () => port,
    }),
  );
  await waitFor(async () => (await server.metrics())('citadel_open_streams{service="sync"}') >= size, {
    what: 'all Sync streams',
    deadline: 60_000,
  });
  console.log(
    `${size} agents, each with its key, certificate and Sync stream, after ${seconds(performance.now() - started)} s`,
  );
  await delay(settled);

  const before = new Map(fleet.agents.map((agent) => [agent, holding(agent)]));
  const [tainted] = (await issuingAuthorities(operator)).filter(({ state }) => state === 'active');
  if (!tainted) throw new Error('no issuing authority is active');
  if ([...before.values()].some((held) => held?.issuer !== tainted.fingerprint))
    throw new Error('an agent is not under the authority that is to be tainted');
  const reKeyed = (agent: FleetAgent) => {
    const [old, held] = [before.get(agent), holding(agent)];
    return held !== undefined && held.issuer !== tainted.fingerprint && held.key !== old?.key;
  };

  const visitor = await startVisitor({
    port,
    roots: await readFile(server.bundleFile),
    token: await server.token('visitor'),
  });
  stack.use(visitor);
  const back = new Map<FleetAgent, number>();
  const begun = performance.now();
  for (const agent of fleet.agents)
    agent.onChange(() => {
      if (!back.has(agent) && reKeyed(agent)) back.set(agent, performance.now() - begun);
    });
  process.stdout.write(await operator('authority', 'taint', tainted.id, '--yes', '--reason', 'drill'));
  const commanded = performance.now() - begun;
  while (back.size < size && performance.now() - begun < patience) {
    await delay(2000);
    const sample = await server.metrics();
    const at = (performance.now() - begun) / 1000;
    if (back.size >= size) break;
    const [followed, ordered, waiting] = ['followed', 'ordered', 'waiting'].map((state) =>
      sample(`citadel_rekey_agents{state="${state}"}`),
    );
    const rate = sample('citadel_rekey_per_second').toFixed(0);
    const expected = (at + sample('citadel_rekey_seconds_left')).toFixed(0);
    console.log(
      `after ${at.toFixed(0)} s: re-keyed ${back.size}; the server counts ${followed}, ${ordered} ordered, ${waiting} waiting, ${rate} a second, and expects the last after ${expected} s`,
    );
  }
  // Where one is left, so long at least.
  const last = back.size < size ? performance.now() - begun : Math.max(...back.values());
  const waits = await visitor.stop();
  const left = fleet.agents.filter((agent) => !reKeyed(agent));
  for (const { name } of left.slice(0, 10)) console.log(`still under the tainted authority: ${name}`);
  // The server's own count: whose present certificate is under it.
  const holders = await waitFor(
    async () => {
      const told = (await issuingAuthorities(operator)).find(({ id }) => id === tainted.id)?.reKeying;
      return told && (told.holders === 0 || left.length > 0) ? told : undefined;
    },
    { what: 'the server to count nobody under the tainted authority' },
  );
  console.log(
    `the command returned after ${seconds(commanded)} s; ${(back.size / (last / 1000)).toFixed(0)} agents a second; left by the server's count: ${holders.holders}`,
  );
  console.log(
    `meanwhile another caller, in the process of the agents, asked for ${waits.length} certificates: median ${middle(waits)} ms, slowest ${Math.round(Math.max(...waits))} ms`,
  );
  console.log(`agents ${size}, re-keyed ${size - left.length}, minutes ${(last / 60_000).toFixed(2)}`);
  if (left.length > 0) process.exitCode = 1;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

function middle(all: readonly number[]): number {
  return Math.round(all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0);
}

main().catch((error: unknown) => {
  process.stderr.write(`drill-taint: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
