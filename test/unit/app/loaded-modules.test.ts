import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** What Node has loaded in a process that imported these files: URLs, and the names of its own modules. */
async function loadedBy(files: readonly string[]): Promise<readonly string[]> {
  const args = ['--conditions=citadel-source', 'test/support/print-loaded.ts', ...files];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}

const program = ['src/cli/program.ts', 'src/cli/commands/run.ts', 'src/app/config/index.ts'];
const agent = loadedBy([...program, 'src/app/agent.ts']);
const server = loadedBy([
  ...program,
  'src/app/index.ts',
  'src/adapters/store/sqlite/index.ts',
  'src/adapters/keys/disk/index.ts',
  'src/adapters/kubernetes/index.ts',
]);

/** By node:http's WebSocket, which an import of that module reads: see src/api/http. */
const undici = /^NativeModule internal\/deps\/undici\/undici$/;
const x509 = /node_modules\/(@peculiar\/x509|pkijs|reflect-metadata)\//;
const atNeed = /node_modules\/(@kubernetes\/client-node|node-vault|@grpc\/reflection|protobufjs|jose)\//;
const drizzle = /node_modules\/drizzle-orm\/.*\.js$/;
const otherCommands = /src\/cli\/commands\/(?!run\.ts$)|@bomb\.sh/;
const ofServers =
  /node_modules\/(better-sqlite3|drizzle-orm|prom-client)\/|src\/(api|adapters\/(?!logging\/))/;

describe('memory', () => {
  it.each([
    { who: 'an agent', process: agent, what: 'undici', pattern: undici },
    { who: 'an agent', process: agent, what: 'an X.509 library', pattern: x509 },
    { who: 'an agent', process: agent, what: 'what even a server loads at need', pattern: atNeed },
    { who: 'an agent', process: agent, what: 'store, metrics and API of a server', pattern: ofServers },
    { who: 'an agent', process: agent, what: 'the commands of operators', pattern: otherCommands },
    { who: 'a server', process: server, what: 'undici', pattern: undici },
    { who: 'a server', process: server, what: 'the commands of operators', pattern: otherCommands },
    {
      who: 'a server',
      process: server,
      what: 'an X.509 library, before it makes an authority',
      pattern: x509,
    },
    { who: 'a server', process: server, what: 'what few configurations need', pattern: atNeed },
    { who: 'a server', process: server, what: 'the ES modules of Drizzle', pattern: drizzle },
  ])('$who does not load $what', async ({ process: imported, pattern }) => {
    const loaded = await imported;
    expect(loaded).toContainEqual(expect.stringMatching(/src\/app\/config\/index\.ts$/));
    expect(loaded.filter((name) => pattern.test(name))).toEqual([]);
  });
});
