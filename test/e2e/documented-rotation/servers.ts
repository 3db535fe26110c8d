import type { ServerConfig } from '../../../src/app/config/index.ts';
import { type TemporaryDirectory, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { cacertsSettings, newRoot } from '../../support/company-authority.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startTestServer, type TestServer, writeServerConfig } from '../../support/server.ts';
import type { Place } from './commands.ts';

interface Rotatable extends AsyncDisposable {
  readonly server: TestServer;
  /** Fingerprint of the active root. */
  readonly root: string;
}

async function rotatable(server: TestServer, directory: TemporaryDirectory): Promise<Rotatable> {
  return {
    server,
    root: (await server.app.rotation.status()).activeRoot,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function companyRoot(directory: TemporaryDirectory) {
  const root = await newRoot();
  return cacertsSettings(directory, { ...root, chain: [], roots: [root.certificate] });
}

/** A server whose root, and its key, others have made. */
export async function importedRoot(): Promise<Rotatable> {
  const directory = await temporaryDirectory();
  const settings = await companyRoot(directory);
  return rotatable(await startTestServer(settings, { directory: directory.path }), directory);
}

/** A server with a root of its own, whose configuration names one that others have made by now. */
export async function givenRoot(): Promise<Rotatable> {
  const directory = await temporaryDirectory();
  const { keys, authority } = await companyRoot(directory);
  const before = await startTestServer({ keys }, { directory: directory.path });
  await before.stop();
  return rotatable(await startTestServer({ keys, authority }, { directory: directory.path }), directory);
}

/** A server whose configuration names the home of its root's key no more. */
export async function movedServer(): Promise<Rotatable> {
  const directory = await temporaryDirectory();
  const disk = diskKeys(directory.path);
  const before = await startTestServer({ keys: disk, issuingKeys: disk }, { directory: directory.path });
  await before.stop();
  const settings = { keys: { memory: {} }, issuingKeys: disk };
  return rotatable(await startTestServer(settings, { directory: directory.path }), directory);
}

const withShortRoot = (config: ServerConfig): ServerConfig => ({
  ...config,
  authority: {
    ...config.authority,
    origin: { kind: 'root', value: { algorithm: 'ecdsa-p256', lifetime: 13_000 } },
  },
});

interface Stopped extends AsyncDisposable {
  readonly place: Place;
  start(): Promise<TestServer>;
}

/** A server that was stopped, and whose root has ended since. */
export async function expiredServer(): Promise<Stopped> {
  const directory = await temporaryDirectory();
  const settings = {
    keys: diskKeys(directory.path),
    certificate: { defaultTtl: '11s', maximumTtl: '11s', notBeforeSkew: '1s' },
  };
  const config = await writeServerConfig(directory.path, settings);
  const before = await startTestServer(settings, { directory: directory.path, change: withShortRoot });
  const root = before.app.authority.records().find(({ kind }) => kind === 'root');
  await before.stop();
  await waitFor(() => root !== undefined && root.notAfter.getTime() < Date.now(), { deadline: 60_000 });
  return {
    place: { directory: directory.path, dataDirectory: directory.path, config },
    start: () => startTestServer(settings, { directory: directory.path }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

interface Machines extends AsyncDisposable {
  /** Where the operator is; the server's data are below it. */
  readonly place: Place;
  /** The first server, whose backups this recipient can open. */
  start(recipient: string): Promise<TestServer>;
  /** Another machine, of the same configuration, with nothing on it yet. */
  another(): Promise<Omit<Stopped, keyof AsyncDisposable>>;
}

/** Two machines for one server, of which the first is lost. */
export async function machines(): Promise<Machines> {
  const directory = await temporaryDirectory();
  const keys = diskKeys(directory.path);
  let recipient = '';
  const settings = (name: string) => ({
    dataDirectory: directory.join(name),
    keys,
    backup: { recipients: [recipient] },
    audit: { checkpoints: { file: { path: directory.join('citadel.checkpoints') } } },
  });
  const start = (name: string) => startTestServer(settings(name), { directory: directory.path });
  const place = (name: string, config?: string): Place => ({
    directory: directory.path,
    dataDirectory: directory.join(name),
    ...(config === undefined ? {} : { config }),
  });
  return {
    place: place('first'),
    start(given) {
      recipient = given;
      return start('first');
    },
    another: async () => ({
      place: place('second', await writeServerConfig(directory.path, settings('second'))),
      start: () => start('second'),
    }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}
