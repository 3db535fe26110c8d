import { setTimeout } from 'node:timers/promises';
import { exchange, freePort, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';
import { newRequest, type TestServer } from '../../support/server.ts';
import type { Place } from './commands.ts';

export const placeOf = ({ directory }: TestServer): Place => ({ directory, dataDirectory: directory });
export const statusOf = ({ server }: TestMesh) => server.app.rotation.status();
export const phaseOf = async ({ server }: { readonly server: TestServer }) =>
  (await server.app.rotation.status()).rotation?.phase;
export const inPhase = (world: { readonly server: TestServer }, phase: string) =>
  waitFor(async () => (await phaseOf(world)) === phase, { deadline: 60_000, what: `phase ${phase}` });

/** `web` calls `orders`: two real Envoys, each beside an agent. */
export async function startCalls(settings: Readonly<Record<string, unknown>> = {}) {
  await using building = new AsyncDisposableStack();
  const application = building.use(await startApplication('orders'));
  const [port, web] = [await freePort(), await freePort()];
  const text = ordersAndWeb(application.port, { port, web });
  const mesh = building.use(await startTestMesh({ registry: { 'a.yaml': text }, settings }));
  await Promise.all(['orders', 'web'].map((name) => mesh.startWorkload(name, name)));
  const calls = async () => (await exchange(`http://127.0.0.1:${web}/`)).status === 200;
  await waitFor(calls);
  const running = building.move();
  return {
    mesh,
    server: mesh.server,
    place: placeOf(mesh.server),
    port,
    calls,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A client that asks for a certificate, and never reports. */
export async function silent(server: TestServer, instance: string): Promise<void> {
  const claims = { namespace: 'shop', serviceAccount: 'cron', instance };
  const token = await server.tokens.issue(claims, 'istio-ca', 600_000);
  await server.create({ csr: (await newRequest()).csr }, { token: token.reveal() });
}

/** The same, over and over. */
export function keepAsking(server: TestServer, instance: string): AsyncDisposable {
  const ended = new AbortController();
  const asking = (async () => {
    while (!ended.signal.aborted) {
      await silent(server, instance);
      await setTimeout(3_000, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      ended.abort();
      await asking;
    },
  };
}

export const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the scenario is over' };

export async function aborted({ server }: { readonly server: TestServer }): Promise<void> {
  const { rotation } = server.app;
  const present = await rotation.current();
  if (present) await rotation.abort({ ...ann, phase: present.phase });
  await waitFor(async () => (await rotation.current()) === undefined, { deadline: 60_000 });
}

export const allUse = (mesh: TestMesh, count = 2) =>
  waitFor(
    async () =>
      (await statusOf(mesh)).gate?.standings.filter(({ standing }) => standing === 'inUse').length === count,
    { deadline: 60_000, what: 'all to be seen to use the bundle' },
  );

export const short = { certificate: { defaultTtl: '20s', maximumTtl: '20s', notBeforeSkew: '1s' } };
