import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { openPkcs11KeyManager } from '../../src/adapters/keys/pkcs11/index.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import { rotationEffects } from '../../src/domain/rotation/index.ts';
import { Secret, sameMembers, silentLog, systemClock } from '../../src/kernel/index.ts';
import { type SoftHsm, startSoftHsm, temporaryDirectory } from '../../test/parts/index.ts';

const { values } = parseArgs({
  options: { every: { type: 'string', default: '1' }, home: { type: 'string', default: 'disk' } },
});
const every = Number(values.every);
const onToken = values.home === 'pkcs11';
if (!(Number.isInteger(every) && every >= 1) || !(onToken || values.home === 'disk')) {
  console.error('usage: crash-rotation [--every 1] [--home disk|pkcs11]');
  process.exit(2);
}

type End = 'done' | 'aborted';

interface Ended {
  /** Points that it passed. */
  readonly passed: number;
  readonly effects: readonly string[];
}

/** A server's home on this disk, and the token that its root's key is on, if it is. */
class Home {
  readonly #directory: string;
  readonly #token: SoftHsm | undefined;
  readonly #end: End;

  constructor(directory: string, token: SoftHsm | undefined, end: End) {
    this.#directory = directory;
    this.#token = token;
    this.#end = end;
  }

  async #keysIn(keyFile: string): Promise<object> {
    const disk = { encryption: { keyFile } };
    if (!this.#token) return { keys: { disk } };
    const pin = this.#at('pin');
    await writeFile(pin, this.#token.pin, { mode: 0o600 });
    const { module, label } = this.#token;
    return { keys: { pkcs11: { module, token: { label }, pin: { file: pin } } }, issuingKeys: { disk } };
  }

  async #rootKeys(): Promise<string[]> {
    if (!this.#token) return (await readdir(this.#at('keys'))).filter((name) => name.startsWith('root-'));
    const { module, label, pin } = this.#token;
    const token = { kind: 'label', value: label } as const;
    const keys = openPkcs11KeyManager({ module, token, pin: new Secret(pin), log: silentLog });
    try {
      const found = (await keys.list()).map(({ id }) => id);
      // A pair each, and nothing beside them.
      const objects = await this.#token.shown();
      return objects === 2 * found.length ? found : [...found, `${objects} objects`];
    } finally {
      await keys.close();
    }
  }

  #at(name: string): string {
    return join(this.#directory, name);
  }

  /** Runs a server until its rotation has ended or it has died. @returns undefined when it died */
  async run(point: number): Promise<Ended | undefined> {
    const keyFile = this.#at('key-encryption-key');
    const key = randomBytes(32);
    await writeFile(keyFile, key, { mode: 0o600, flag: 'wx' }).catch(() => undefined);
    const config = {
      mode: 'development',
      trustDomain: 'crash.example',
      dataDirectory: this.#directory,
      ...(await this.#keysIn(keyFile)),
      listen: { csr: '127.0.0.1:0', metrics: '127.0.0.1:0', operator: '127.0.0.1:0' },
      attestation: { development: { key: { issuerKeyFile: this.#at('development-issuer.pem') } } },
    };
    const program = join(import.meta.dirname, 'crash-rotation-server.ts');
    const options = ['--conditions=citadel-source', '--disable-warning=ExperimentalWarning'];
    const child = spawn(
      process.execPath,
      [...options, program, JSON.stringify(config), this.#at('citadel.db'), this.#end, String(point)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...(this.#token && { SOFTHSM2_CONF: this.#token.configuration }) },
      },
    );
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('close', (code, signal) => resolve([code, signal])),
    );
    const said = await text(child.stdout);
    const [code, signal] = await ended;
    if (signal === 'SIGKILL') return undefined;
    if (code !== 0) throw new Error(`the server ended with ${code}`);
    const [passed, ...effects] = said.split(' ');
    return { passed: Number(passed), effects };
  }

  /** @returns what is not as it must be after a rotation */
  async faults(): Promise<string[]> {
    const store = await openSqliteStore({ file: this.#at('citadel.db'), clock: systemClock, log: silentLog });
    try {
      const records = await store.authorities.list();
      const roots = records.filter(({ kind }) => kind === 'root');
      const issuing = records.filter(({ kind, state }) => kind === 'issuing' && state !== 'retired');
      // The key of the audit record's checkpoints is there, too.
      const issuingKeys = (await readdir(this.#at('issuing-keys')))
        .filter((name) => name.startsWith('issuing-'))
        .toSorted();
      const recorded = issuing.map(({ keyId }) => `${keyId}.key`).toSorted();
      const states = roots.map(({ state }) => state).toSorted();
      const keys = await this.#rootKeys();
      const active = roots.find(({ state }) => state === 'active');
      // The one that the rotation has made: it signs at the end, or has gone.
      const made = roots.find(({ state }) => state === (this.#end === 'done' ? 'active' : 'retired'));
      const sequence = await store.authorities.bundleSequence();
      return [
        ...(states.join() === 'active,retired' ? [] : [`roots are ${states.join()}`]),
        ...(keys.length === 1 && active && keys[0]?.startsWith(active.keyId)
          ? []
          : [`keys are ${keys.join()}`]),
        ...(sameMembers(issuingKeys, recorded)
          ? []
          : [`issuing keys are ${issuingKeys.join()}, on record are ${recorded.join()}`]),
        ...(made?.intermediates.length === 1 ? [] : ['the old root has not certified the new one once']),
        ...((await store.rotations.current()) === undefined ? [] : ['the rotation is still under way']),
        // None, old alone, both for a few; then both and new alone, or old alone again.
        ...(sequence === (this.#end === 'done' ? 5n : 4n)
          ? []
          : [`the bundle's sequence number is ${sequence}`]),
      ];
    } finally {
      await store.close();
    }
  }
}

async function newToken(): Promise<SoftHsm | undefined> {
  const token = onToken ? await startSoftHsm() : undefined;
  if (token) process.env['SOFTHSM2_CONF'] = token.configuration;
  return token;
}

async function killedAt(point: number, end: End): Promise<string[]> {
  await using directory = await temporaryDirectory('crash-rotation');
  await using token = await newToken();
  const home = new Home(directory.path, token, end);
  if ((await home.run(point)) !== undefined) return ['it did not die'];
  await home.run(0);
  // Waited for here: what the home is in is taken away at the end of this.
  return await home.faults();
}

/** One way to the end, whole and then killed at each of its points. */
async function go(
  end: End,
): Promise<{ points: number; kills: number; effects: readonly string[]; faults: string[] }> {
  await using directory = await temporaryDirectory('crash-rotation');
  await using token = await newToken();
  const whole = new Home(directory.path, token, end);
  const { passed: points, effects } = (await whole.run(0)) ?? { passed: 0, effects: [] };
  const faults = await whole.faults();
  let kills = 0;
  for (let point = 1; point <= points; point += every) {
    const found = await killedAt(point, end);
    kills += 1;
    process.stdout.write(
      `${end}, point ${point} of ${points}: ${found.length === 0 ? 'well' : found.join('; ')}\n`,
    );
    faults.push(...found);
  }
  return { points, kills, effects, faults };
}

async function main(): Promise<void> {
  const ways = [await go('done'), await go('aborted')];
  const seen = new Set(ways.flatMap(({ effects }) => effects));
  const missed = rotationEffects.filter((effect) => !seen.has(effect));
  if (missed.length > 0) process.stdout.write(`never seen: ${missed.join(', ')}\n`);
  const sum = (of: (way: (typeof ways)[number]) => number) => ways.reduce((total, way) => total + of(way), 0);
  const faults = sum((way) => way.faults.length) + missed.length;
  process.stdout.write(
    `points ${sum(({ points }) => points)}, kills ${sum(({ kills }) => kills)}, faults ${faults}\n`,
  );
  if (ways.some(({ points }) => points < 20) || faults > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`crash-rotation: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
