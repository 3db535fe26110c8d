import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { requirePart } from './locate.ts';
import { temporaryDirectory } from './temporary.ts';

const run = promisify(execFile);
const counter = join(import.meta.dirname, '../support/count-token-objects.ts');

/** One token of a real SoftHSM, in a directory of its own. */
export interface SoftHsm extends AsyncDisposable {
  /** Path of the PKCS#11 module. */
  readonly module: string;
  readonly label: string;
  readonly pin: string;
  /** The file that SOFTHSM2_CONF must name in whatever process loads the module. */
  readonly configuration: string;
  /** Takes the token away from who uses it, as a removed card is. */
  remove(): Promise<void>;
  /** Puts it back. */
  insert(): Promise<void>;
  /** Paths of the files of the token's objects. What a crash left of one that was being made is among them. */
  objects(): Promise<readonly string[]>;
  /** How many objects the token shows to its user. */
  shown(): Promise<number>;
  /** Runs softhsm2-util on this SoftHSM. @returns what it printed */
  util(...args: readonly string[]): Promise<string>;
}

export interface SoftHsmOptions {
  readonly label?: string;
  readonly pin?: string;
  /** More lines of softhsm2.conf. */
  readonly settings?: string;
}

/** Initialises a token with a user's PIN. */
export async function startSoftHsm(options: SoftHsmOptions = {}): Promise<SoftHsm> {
  const { label = 'citadel', pin = '94731058', settings = '' } = options;
  const program = requirePart('softhsm');
  const module = join(dirname(program), '../lib/softhsm/libsofthsm2.so');
  const directory = await temporaryDirectory('softhsm');
  const [tokens, away, configuration] = ['tokens', 'away', 'softhsm2.conf'].map((name) =>
    directory.join(name),
  );
  if (!tokens || !away || !configuration) throw new Error('no path');
  await mkdir(tokens);
  await mkdir(away);
  await writeFile(
    configuration,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n${settings}\n`,
  );
  const env = { ...process.env, SOFTHSM2_CONF: configuration };
  const util = async (...args: readonly string[]) => {
    const { stdout } = await run(program, ['--module', module, ...args], {
      env,
    });
    return stdout;
  };
  await util('--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', '1234567890');
  const move = async (from: string, to: string) => {
    for (const name of await readdir(from)) await rename(join(from, name), join(to, name));
  };
  return {
    module,
    label,
    pin,
    configuration,
    util,
    async objects() {
      const names = await readdir(tokens, { recursive: true });
      return names
        .filter((name) => /[0-9a-f]{8}-[^/]*\.object$/.test(name))
        .map((name) => join(tokens, name));
    },
    async shown() {
      const { stdout } = await run(process.execPath, [counter, module, label, pin], { env });
      return Number(stdout);
    },
    remove: () => move(tokens, away),
    insert: () => move(away, tokens),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}
