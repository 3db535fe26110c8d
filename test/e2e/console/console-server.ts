import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type Clock, systemClock } from '../../../src/kernel/index.ts';
import { waitFor } from '../../parts/index.ts';
import type { WatchedPage } from '../../support/browser.ts';
import { runCitadel } from '../../support/citadel.ts';
import { startOidcProvider, type TestProvider } from '../../support/oidc-provider.ts';
import { registryText } from '../../support/registry.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

export interface ConsoleServer extends AsyncDisposable {
  readonly server: TestServer;
  readonly provider: TestProvider;
  readonly origin: string;
  /** PEM: what the listener shows. */
  readonly certificate: string;
  /** Moves the server's clock on; everybody else's stays. */
  pass(milliseconds: number): void;
  /** A client certificate with a role, by the program itself. */
  enrol(name: string, role: string): Promise<ClientCertificate>;
  call(path: string, call?: Call): Promise<Reply>;
}

export interface ClientCertificate {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface Call {
  readonly method?: string;
  /** Over those of the console's own page; `undefined` takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly client?: ClientCertificate;
}

export interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const secret = 's3 cret&+';

const callersAndOrders = registryText(
  [{ name: 'web' }, { name: 'cron' }, { name: 'orders', ports: [{ port: 8080, application: 1 }] }],
  [{ name: 'orders', ports: [{ port: 80, targetPort: 8080 }] }],
);

/**
 * A server with a control plane, its console, and an identity provider.
 * @param registry who is there: by default nobody whose proxy runs
 */
export async function startConsoleServer(registry = callersAndOrders): Promise<ConsoleServer> {
  await using building = new AsyncDisposableStack();
  const provider = building.use(await startOidcProvider());
  let ahead = 0;
  const clock: Clock = {
    now: () => new Date(Date.now() + ahead),
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds, signal),
  };
  const server = building.use(
    await startTestServer((directory) => settings(directory, registry, provider), { clock }),
  );
  const { console } = server.app;
  if (!console) throw new Error('the server has no console');
  const { origin } = console;
  provider.client = {
    id: 'citadel-console',
    secret: new URLSearchParams({ '': secret }).toString().slice(1),
    redirectUri: `${origin}/console/signed-in`,
  };
  const roots = () => server.app.authority.bundle().pem;
  const started = building.move();
  return {
    server,
    provider,
    origin,
    certificate: await shownCertificate(console.port, roots()),
    pass(milliseconds) {
      ahead += milliseconds;
    },
    async enrol(name, role) {
      const socket = join(server.directory, 'operator.sock');
      const { code, stderr } = await runCitadel(
        ['operator', 'enrol', '--socket', socket, '--name', name, '--role', role, '--yes'],
        { directory: server.directory, home: name },
      );
      if (code !== 0) throw new Error(stderr);
      const file = (kind: string) => join(server.directory, name, `operator.${kind}`);
      return { certPath: file('crt'), keyPath: file('key') };
    },
    call: (path, call) => callAsPage(origin, roots(), path, call),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Signs in at the provider, as people do. */
export async function signIn(
  { page }: WatchedPage,
  { origin }: Pick<ConsoleServer, 'origin'>,
  name: string,
): Promise<void> {
  await page.goto(`${origin}/`);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('navigation', { name: 'Policies' }).waitFor();
}

/** The server keeps this text's policies alone from then on, by another author's word. @returns the revision, once it holds */
export async function keepAlone(
  { server: { app } }: Pick<ConsoleServer, 'server'>,
  text: string,
  reason: string,
): Promise<number> {
  const names = new Set(Array.from(text.matchAll(/^ +name: (\S+)$/gm), ([, name]) => name));
  const { revision, policies } = await app.store.policies.current();
  const remove = policies.filter(({ name }) => !names.has(name));
  const other = { subject: 'operator:other', proof: 'client-certificate' };
  const plan = await app.policies?.apply(
    { texts: [{ source: 'test', text }], remove },
    revision,
    other,
    reason,
  );
  await waitFor(() =>
    app.controlPlane
      ?.snapshot()
      ?.policies.some(({ meta }) => names.has(meta.name) && meta.generation === plan?.revision),
  );
  return plan?.revision ?? 0;
}

const program = join(import.meta.dirname, '../../../scripts/citadel');

/** The command that a page shows, by a shell as people paste it, with what is in the editor as policy.yaml. */
export function runShown(
  { server: { directory } }: Pick<ConsoleServer, 'server'>,
  line: string,
  text = '',
): Promise<{ readonly code: number; readonly output: string }> {
  writeFileSync(join(directory, 'policy.yaml'), text);
  const env = { PATH: process.env['PATH'], CITADEL_SOCKET: join(directory, 'operator.sock') };
  return new Promise((done) => {
    const script = `citadel() { '${program}' "$@"; }\n${line}`;
    execFile('bash', ['-c', script], { env, cwd: directory, timeout: 60_000 }, (error, stdout, stderr) => {
      done({
        code: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
        output: stdout + stderr,
      });
    });
  });
}

function settings(directory: string, shop: string, provider: TestProvider): Record<string, unknown> {
  const registry = join(directory, 'registry');
  const write = (path: string, text: string, mode = 0o644) => writeFileSync(path, text, { mode });
  mkdirSync(registry);
  write(join(registry, 'shop.yaml'), shop);
  write(
    join(registry, 'policies.yaml'),
    'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: strict, namespace: shop }\nspec: { mtls: { mode: STRICT } }\n',
  );
  write(join(directory, 'jwks.json'), JSON.stringify(provider.jwks));
  write(join(directory, 'secret'), secret, 0o600);
  const { issuer } = provider;
  const any = '127.0.0.1:0';
  return {
    listen: { csr: any, metrics: any, operator: any, webhook: any, console: any },
    mesh: { sources: { files: { directory: registry } } },
    operators: {
      oidc: [
        {
          issuer,
          audience: 'citadel',
          keys: { jwksFile: join(directory, 'jwks.json') },
          roleClaim: { roles: { authors: 'author', readers: 'viewer' } },
        },
      ],
    },
    console: {
      oidc: { issuer, clientId: 'citadel-console', clientSecret: { file: join(directory, 'secret') } },
      sessions: { idle: '30m', lifetime: '8h' },
    },
  };
}

async function shownCertificate(port: number, ca: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate()?.toString() ?? '';
  socket.destroy();
  return certificate;
}

/** As the console's own page calls, unless said otherwise. */
async function callAsPage(
  origin: string,
  ca: string,
  path: string,
  { method = 'GET', headers = {}, body, client }: Call = {},
): Promise<Reply> {
  const own: Record<string, string | undefined> = {
    'x-citadel-console': '1',
    'sec-fetch-site': 'same-origin',
    ...(method === 'GET' ? {} : { origin, 'content-type': 'application/json' }),
    ...headers,
  };
  const given = Object.entries(own).filter((each): each is [string, string] => each[1] !== undefined);
  const { hostname, port } = new URL(origin);
  const sent = request({
    host: '127.0.0.1',
    servername: hostname,
    port,
    path,
    method,
    ca,
    headers: { host: new URL(origin).host, ...Object.fromEntries(given) },
    agent: false,
    ...(client ? { cert: readFileSync(client.certPath), key: readFileSync(client.keyPath) } : {}),
  });
  sent.end(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}
