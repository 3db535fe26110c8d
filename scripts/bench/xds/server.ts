import { monitorEventLoopDelay } from 'node:perf_hooks';
import { SpiffeId } from '@citadel/spiffe';
import { serverConfigFromObject } from '../../../src/app/config/index.ts';
import { type App, createApp } from '../../../src/app/index.ts';
import { createLeafService } from '../../../src/domain/issuance/index.ts';
import type { ControlPlane } from '../../../src/domain/mesh/index.ts';
import { noMetrics } from '../../../src/domain/ports/index.ts';
import { systemClock, systemEntropy } from '../../../src/kernel/index.ts';
import { generateKeyPair, toPem } from '../../../src/pki/index.ts';
import { type Command, type Commands, type Ready, readyId } from './commands.ts';

/**
 * A server process of the bench: the whole server as it is, and beside it what a bench asks of its inside. The bench
 * speaks to it over the channel that Node gives a forked process.
 */
const [, , directory = '', registry = ''] = process.argv;
const day = 86_400_000;
const pushed = { responses: 0, bytes: 0 };

const app = await createApp(
  serverConfigFromObject({
    mode: 'development',
    trustDomain: 'bench.example',
    dataDirectory: directory,
    keys: { memory: {} },
    listen: { csr: '127.0.0.1:0', metrics: '127.0.0.1:0', operator: '127.0.0.1:0' },
    limits: { callsPerSecondPerPeer: 100_000 },
    attestation: { development: { key: { issuerKeyFile: `${directory}/development-issuer.pem` } } },
    mesh: { rootNamespace: 'root', sources: { files: { directory: registry } } },
  }),
  {
    metrics: {
      ...noMetrics,
      discoveryPush: (_type, bytes) => {
        pushed.responses += 1;
        pushed.bytes += bytes;
      },
      contentType: 'text/plain',
      expose: () => Promise.resolve(''),
    },
  },
);
const plane = controlPlaneOf(app);
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
const leaves = createLeafService({
  validity: { defaultTtl: day, maximumTtl: day, notBeforeSkew: 1000 },
  store: app.store.issuance,
  clock: systemClock,
  entropy: systemEntropy,
});

const commands: { [K in Command]: (argument: Commands[K]['argument']) => Promise<Commands[K]['result']> } = {
  issue: (workloads) =>
    Promise.all(
      workloads.map(async ({ name, namespace, serviceAccount }) => {
        const pair = await generateKeyPair('ecdsa-p256');
        const { chainPem } = await leaves.sign(app.authority.issuer(), {
          spki: pair.spki,
          spiffeId: SpiffeId.parse(`spiffe://bench.example/ns/${namespace}/sa/${serviceAccount}`),
          principal: `development:${name}`,
          proxyKey: (serial) => `serial:${serial}`,
          requestedSeconds: 0n,
        });
        return {
          workload: name,
          chainPem: chainPem.join(''),
          privateKeyPem: toPem(pair.privateKeyPkcs8.reveal(), 'PRIVATE KEY'),
        };
      }),
    ),
  counters: ({ collect }) => {
    if (collect) globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const counters = {
      renders: plane.renders(),
      responses: pushed.responses,
      bytes: pushed.bytes,
      cpuMilliseconds: (user + system) / 1000,
      residentBytes: process.memoryUsage.rss(),
      heapBytes: process.memoryUsage().heapUsed,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      longestPause: loop.max / 1e6,
    };
    loop.reset();
    return Promise.resolve(counters);
  },
  // What is given to all is found by asking for each once more: equal bytes that are one object were encoded once.
  encoded: (workloads) => {
    const once = new Set<Uint8Array>();
    const different = new Set<string>();
    let each = 0;
    for (const { name, namespace, serviceAccount } of workloads) {
      const session = plane.open(
        {
          proxyKey: `bench:${name}`,
          spiffeId: `spiffe://bench.example/ns/${namespace}/sa/${serviceAccount}`,
          svidSerial: '',
          nodeId: name,
          nodeMetadata: { WORKLOAD_NAME: name },
        },
        () => undefined,
      );
      for (const [typeUrl, all] of session.resources())
        for (const { name: own, version, value } of all.values()) {
          once.add(value);
          different.add(`${typeUrl} ${own} ${version}`);
          each += value.length;
        }
      session.close();
    }
    return Promise.resolve({
      onceBytes: [...once].reduce((sum, { length }) => sum + length, 0),
      eachBytes: each,
      encoded: once.size,
      different: different.size,
    });
  },
};

process.on('message', (message) => {
  // Both ends are ours, and made from one file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { id, command, argument } = message as { id: number; command: Command; argument: never };
  commands[command](argument).then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
// A bench that is gone asks for nothing more.
process.on('disconnect', () => process.exit());
const ready: Ready = { port: app.csr.port, rootsPem: app.authority.bundle().pem };
process.send?.({ id: readyId, result: ready });

function controlPlaneOf({ controlPlane }: App): ControlPlane {
  if (!controlPlane) throw new Error('a server with a registry has a control plane');
  return controlPlane;
}
