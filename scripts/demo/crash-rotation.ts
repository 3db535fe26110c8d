import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import { sameMembers, silentLog, systemClock } from '../../src/kernel/index.ts';
import { temporaryDirectory } from '../../test/parts/index.ts';

const { values } = parseArgs({ options: { every: { type: 'string', default: '1' } } });
const every = Number(values.every);
if (!(Number.isInteger(every) && every >= 1)) {
  console.error('usage: crash-rotation [--every 1]');
  process.exit(2);
}

/** A server's home on this disk. */
class Home {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  #at(name: string): string {
    return join(this.#directory, name);
  }

  /** Runs a server until it has rotated or died. @returns the points that it passed; undefined when it died */
  async run(point: number): Promise<number | undefined> {
    const keyFile = this.#at('key-encryption-key');
    const key = randomBytes(32);
    await writeFile(keyFile, key, { mode: 0o600, flag: 'wx' }).catch(() => undefined);
    const config = {
      mode: 'development',
      trustDomain: 'crash.example',
      dataDirectory: this.#directory,
      keys: { disk: { encryption: { keyFile } } },
      listen: { csr: '127.0.0.1:0', metrics: '127.0.0.1:0', operator: '127.0.0.1:0' },
      attestation: { development: { key: { issuerKeyFile: this.#at('development-issuer.pem') } } },
    };
    const program = join(import.meta.dirname, 'crash-rotation-server.ts');
    const options = ['--conditions=citadel-source', '--disable-warning=ExperimentalWarning'];
    const child = spawn(
      process.execPath,
      [...options, program, JSON.stringify(config), this.#at('citadel.db'), String(point)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('close', (code, signal) => resolve([code, signal])),
    );
    const said = await text(child.stdout);
    const [code, signal] = await ended;
    if (signal === 'SIGKILL') return undefined;
    if (code !== 0) throw new Error(`the server ended with ${code}`);
    return Number(said);
  }

  /** @returns what is not as it must be after a rotation */
  async faults(): Promise<string[]> {
    const store = await openSqliteStore({ file: this.#at('citadel.db'), clock: systemClock, log: silentLog });
    try {
      const records = await store.authorities.list();
      const roots = records.filter(({ kind }) => kind === 'root');
      const issuing = records.filter(({ kind, state }) => kind === 'issuing' && state !== 'retired');
      const issuingKeys = (await readdir(this.#at('issuing-keys'))).toSorted();
      const recorded = issuing.map(({ keyId }) => `${keyId}.key`).toSorted();
      const states = roots.map(({ state }) => state).toSorted();
      const keys = (await readdir(this.#at('keys'))).filter((name) => name.startsWith('root-'));
      const active = roots.find(({ state }) => state === 'active');
      const sequence = await store.authorities.bundleSequence();
      return [
        ...(states.join() === 'active,retired' ? [] : [`roots are ${states.join()}`]),
        ...(keys.length === 1 && active && keys[0]?.startsWith(active.keyId)
          ? []
          : [`keys are ${keys.join()}`]),
        ...(sameMembers(issuingKeys, recorded)
          ? []
          : [`issuing keys are ${issuingKeys.join()}, on record are ${recorded.join()}`]),
        ...((await store.rotations.current()) === undefined ? [] : ['the rotation is still under way']),
        // None, old alone, both, new alone.
        ...(sequence === 4n ? [] : [`the bundle's sequence number is ${sequence}`]),
      ];
    } finally {
      await store.close();
    }
  }
}

async function killedAt(point: number): Promise<string[]> {
  await using directory = await temporaryDirectory('crash-rotation');
  const home = new Home(directory.path);
  if ((await home.run(point)) !== undefined) return ['it did not die'];
  await home.run(0);
  return home.faults();
}

async function main(): Promise<void> {
  await using directory = await temporaryDirectory('crash-rotation');
  const whole = new Home(directory.path);
  const points = (await whole.run(0)) ?? 0;
  const faults = await whole.faults();
  let kills = 0;
  for (let point = 1; point <= points; point += every) {
    const found = await killedAt(point);
    kills += 1;
    process.stdout.write(`point ${point} of ${points}: ${found.length === 0 ? 'well' : found.join('; ')}\n`);
    faults.push(...found);
  }
  process.stdout.write(`points ${points}, kills ${kills}, faults ${faults.length}\n`);
  if (points < 20 || faults.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`crash-rotation: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
