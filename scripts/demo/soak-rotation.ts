import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDevelopmentTokenIssuer } from '../../src/adapters/development/index.ts';
import { Secret, systemClock } from '../../src/kernel/index.ts';
import { Random } from '../../test/oracle/generate/random.ts';
import { startApplication } from '../../test/support/echo-application.ts';
import { Complaints, type Fleet, startFleet } from '../../test/support/fleet/index.ts';
import { startRelay } from '../../test/support/relay.ts';
import { developmentPlatform, type Platform } from './platform.ts';
import { Terminal } from './root-rotation/terminal.ts';
import { say } from './say.ts';
import { adminSocketOf, startEnvoys } from './soak/envoys.ts';
import { drawFaults, type Faults } from './soak/faults.ts';
import { Handshakes } from './soak/handshakes.ts';
import { residentMebibytes, ServerCost } from './soak/process-cost.ts';
import { publishBundle, rotateOnce, type Soak } from './soak/rotation.ts';
import { startWorld, trustDomain } from './world.ts';

const { values } = parseArgs({
  options: {
    rotations: { type: 'string', default: '20' },
    agents: { type: 'string', default: '1000' },
    envoys: { type: 'string', default: '20' },
    pairs: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    ttl: { type: 'string', default: '60' },
  },
});
const whole = (text: string) => (/^\d+$/.test(text) ? Number(text) : Number.NaN);
const rotations = whole(values.rotations);
const size = whole(values.agents);
const envoyCount = whole(values.envoys);
const pairs = whole(values.pairs);
const seed = whole(values.seed);
/** Of certificates, seconds. */
const ttl = whole(values.ttl);
if (!(rotations >= 1 && size >= envoyCount && envoyCount >= 2 && pairs >= 1 && seed >= 0 && ttl >= 10)) {
  console.error(
    'usage: soak-rotation [--rotations 20] [--agents 1000] [--envoys 20] [--pairs 8] [--seed 1] [--ttl SECONDS]',
  );
  process.exit(2);
}

/** Each leads a part of the fleet to the server, and can be cut; whoever is not led by one comes directly. */
const wayCount = 4;
/** Of the fleet behind all of the ways together. */
const behindWays = 0.1;
const day = 86_400_000;
/** A whole fleet in one process is slower than an agent that has one to itself: what is given up is only done again. */
const callDeadline = 60_000;

/** All of the fleet calls from one address, which a server takes for one that asks too often. */
function patientPlatform(): Platform {
  const platform = developmentPlatform();
  return {
    ...platform,
    serverSettings: async (directory) => ({
      ...(await platform.serverSettings(directory)),
      limits: { callsPerSecondPerPeer: 10_000, handshakeTimeout: '60s', requestTimeout: '60s' },
      log: { level: 'info' },
    }),
  };
}

async function startSoak(stack: AsyncDisposableStack, complaints: Complaints): Promise<Soak> {
  const world = stack.use(await startWorld({ platform: patientPlatform(), ttl: `${ttl}s` }));
  const bundleFile = join(world.directory, 'roots.pem');
  await publishBundle({ world, bundleFile });
  const issuer = await createDevelopmentTokenIssuer(
    new Secret(await readFile(join(world.directory, 'development-issuer.pem'), 'utf8')),
    systemClock,
  );
  const ways = await Promise.all(
    Array.from({ length: wayCount }, async () => stack.use(await startRelay(world.serverPort))),
  );
  const stride = Math.floor(size / Math.max(wayCount, size * behindWays)) || 1;
  const before = residentMebibytes(process.pid);
  const fleet: Fleet = stack.use(
    await startFleet({
      size,
      directory: join(world.directory, 'fleet'),
      trustDomain,
      bundleFile,
      token: ({ name, namespace }) =>
        issuer.issue({ namespace, serviceAccount: name, instance: name }, 'istio-ca', day),
      serverPort: ({ index }) =>
        (index % stride === 0 ? ways[(index / stride) % wayCount]?.port : undefined) ?? world.serverPort,
      options: ({ index, directory }) => ({
        callDeadline,
        ...(index < envoyCount ? { envoy: { adminSocket: adminSocketOf(directory) } } : {}),
      }),
      log: complaints.log,
    }),
  );
  const each = (residentMebibytes(process.pid) - before) / size;
  say(`${size} agents, each with a certificate of ${ttl} s: ${each.toFixed(2)} MiB each`);
  const application = stack.use(await startApplication());
  const envoys = await startEnvoys(fleet.agents.slice(0, envoyCount), application.http, stack);
  say(`${envoys.length} of them with an Envoy`);
  return {
    world,
    terminal: new Terminal(world, { quiet: true, interval: 2000 }),
    agents: fleet.agents,
    ways,
    handshakes: new Handshakes(fleet.agents, envoys, world.directory, new Random(seed)),
    pairs,
    bundleFile,
  };
}

function describeFaults({ kill, restarts, cut }: Faults): string {
  const agents = `${restarts.agents.length} agents restarted in ${restarts.phase}`;
  return `killed at "${kill}", ${agents}, way ${cut.way + 1} cut for ${cut.milliseconds} ms in ${cut.phase}`;
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const complaints = new Complaints();
  const soak = await startSoak(stack, complaints);
  const { handshakes, world, agents } = soak;
  const random = new Random(seed);
  const began = performance.now();
  await handshakes.sample('before', pairs);
  const cost = stack.use(new ServerCost(world));
  for (let rotation = 1; rotation <= rotations; rotation += 1) {
    const faults = drawFaults(random, wayCount, size, ttl * 1000);
    const name = `rotation ${rotation}`;
    const { distribute, drain, retire } = await rotateOnce(soak, name, faults);
    const { cpuSeconds, mebibytes } = cost.take();
    const cores = cpuSeconds / (distribute + drain + retire);
    say(
      `${name}: distribute ${distribute.toFixed(0)} s, drain ${drain.toFixed(0)} s, retire ${retire.toFixed(0)} s`,
    );
    say(
      `   server: ${cores.toFixed(2)} of a core, ${mebibytes.toFixed(0)} MiB at most; ${describeFaults(faults)}`,
    );
    for (const [complaint, count] of complaints.take().slice(0, 5)) say(`   ${count} agents: ${complaint}`);
    for (const agent of agents)
      if (!((agent.snapshot?.identity?.notAfter ?? 0) > new Date()))
        handshakes.fail(name, `${agent.name} has no valid certificate`);
    say(`   handshakes ${handshakes.count}, failures ${handshakes.failures}`);
  }
  const minutes = (performance.now() - began) / 60_000 / rotations;
  say(
    `handshakes ${handshakes.count}, failures ${handshakes.failures}, minutes a rotation ${minutes.toFixed(1)}`,
  );
  if (handshakes.failures > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(
    `soak-rotation: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
