import { once } from 'node:events';
import { createServer } from 'node:http';
import { exchange, HttpStatusError } from '../http.ts';
import { temporaryDirectory } from '../temporary.ts';
import { type KubeApiAddress, type KubeApiServer, kubeApiAddress, startKubeApiServer } from './server.ts';

/** Tells the worker processes of a test run, through their environment, whom to ask for the shared server. */
const variable = 'CITADEL_TEST_KUBEAPI_SOCKET';

/**
 * Offers one kube-apiserver to all processes of a test run: it is started when the first of them asks, kept for the
 * others, and stopped on dispose. It is a child of the process that calls this, so it cannot outlive the run. Starting
 * takes 5 to 10 s and the server some 500 MB, too much to have one for each test file.
 */
export async function shareKubeApi(): Promise<AsyncDisposable> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryDirectory('broker'));
  let server: Promise<KubeApiServer> | undefined;
  cleanup.defer(async () => {
    await (await server?.catch(() => undefined))?.[Symbol.asyncDispose]();
  });
  const broker = createServer((_request, response) => {
    server ??= startKubeApiServer();
    server.then(
      ({ address }) => response.end(JSON.stringify(address)),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(error instanceof Error ? error.message : String(error));
      },
    );
  });
  const socket = directory.join('kubeapi.sock');
  broker.listen(socket);
  await once(broker, 'listening');
  cleanup.defer(async () => {
    delete process.env[variable];
    broker.closeAllConnections();
    broker.close();
    await once(broker, 'close');
  });
  process.env[variable] = socket;
  const owned = cleanup.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The shared server of the test run that this process belongs to; undefined outside one. */
export async function sharedKubeApi(): Promise<KubeApiAddress | undefined> {
  const socketPath = process.env[variable];
  if (socketPath === undefined) return undefined;
  const reply = await exchange('http://localhost/', { method: 'POST', socketPath, deadline: 150_000 });
  if (reply.status !== 200) throw new HttpStatusError('the shared kube-apiserver did not start', reply);
  return kubeApiAddress.parse(JSON.parse(reply.body));
}
