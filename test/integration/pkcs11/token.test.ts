import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openPkcs11KeyManager,
  type Pkcs11KeyManagerOptions,
} from '../../../src/adapters/keys/pkcs11/index.ts';
import type { KeyManager } from '../../../src/domain/ports/index.ts';
import { Secret } from '../../../src/kernel/index.ts';
import { hasPart, type SoftHsm, type SoftHsmOptions, startSoftHsm, waitFor } from '../../parts/index.ts';
import { type LogLine, recordingLog } from '../../support/recording-log.ts';

const data = Buffer.from('to be signed');
const unavailable = expect.objectContaining({ name: 'CitadelError', code: 'Unavailable' });
const failedPrecondition = expect.objectContaining({ name: 'CitadelError', code: 'FailedPrecondition' });

describe.skipIf(!hasPart('softhsm'))('a token of a real SoftHSM, when something is wrong', () => {
  let hsm: SoftHsm;
  let lines: LogLine[];
  const opened = new Set<KeyManager>();

  async function insertNew(options: SoftHsmOptions = {}) {
    hsm = await startSoftHsm(options);
    process.env['SOFTHSM2_CONF'] = hsm.configuration;
  }

  function open(options: Partial<Pkcs11KeyManagerOptions> = {}): KeyManager {
    const recording = recordingLog();
    ({ lines } = recording);
    const keys = openPkcs11KeyManager({
      module: hsm.module,
      token: { kind: 'label', value: hsm.label },
      pin: new Secret(hsm.pin),
      log: recording.log,
      ...options,
    });
    opened.add(keys);
    return keys;
  }

  /** Processes that this one has started and that have loaded the module. */
  function tokenProcesses(): number[] {
    const tasks = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
    return tasks
      .filter((pid) => pid !== '')
      .map(Number)
      .filter((pid) => commandLine(pid).includes('token-process'));
  }
  const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

  beforeEach(() => insertNew());
  afterEach(async () => {
    for (const keys of opened) await keys.close();
    opened.clear();
    await hsm[Symbol.asyncDispose]();
  });

  it('is unavailable while it is taken out, never empty, and signs again when it is back', async () => {
    const keys = open();
    const key = await keys.generate('root-1', 'ecdsa-p256');
    await hsm.remove();
    await expect(keys.get('root-1')).rejects.toEqual(unavailable);
    await expect(keys.get('root-2')).rejects.toEqual(unavailable);
    await expect(keys.list()).rejects.toEqual(unavailable);
    await expect(keys.destroy('root-1')).rejects.toEqual(unavailable);
    await expect(keys.generate('root-2', 'ecdsa-p256')).rejects.toEqual(unavailable);
    await expect(key.sign(data)).rejects.toEqual(unavailable);
    await expect(keys.check()).rejects.toEqual(unavailable);
    await hsm.insert();
    await keys.check();
    expect(await keys.list()).toEqual([expect.objectContaining({ id: 'root-1', publicKey: key.publicKey })]);
    await key.sign(data);
  });

  it.each(['get', 'list', 'destroy', 'check', 'sign'] as const)(
    'notices by %s that it was taken out',
    async (first) => {
      const keys = open();
      const key = await keys.generate('root-1', 'ecdsa-p256');
      await hsm.remove();
      const calls = {
        get: () => keys.get('root-1'),
        list: () => keys.list(),
        destroy: () => keys.destroy('root-1'),
        check: () => keys.check(),
        sign: () => key.sign(data),
      };
      // What SoftHSM has read of a key signs on without its file.
      if (first !== 'sign') await expect(calls[first]()).rejects.toEqual(unavailable);
      await hsm.insert();
      await calls[first]();
      expect(await keys.list()).toHaveLength(first === 'destroy' ? 0 : 1);
    },
  );

  it('tries a wrong PIN once, tells so without it, and not again', async () => {
    const wrong = '111111-not-it';
    const keys = open({ pin: new Secret(wrong) });
    await expect(keys.list()).rejects.toEqual(failedPrecondition);
    await waitFor(() => tokenProcesses().length === 0);
    // A token that would take it now: whoever tried once more would be let in.
    const { label } = hsm;
    await hsm[Symbol.asyncDispose]();
    await insertNew({ label, pin: wrong });
    for (const call of [() => keys.list(), () => keys.check(), () => keys.generate('a', 'ecdsa-p256')])
      await expect(call()).rejects.toMatchObject({ message: expect.stringMatching(/not tried again/) });
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await open({ pin: new Secret(wrong) }).check();
  });

  it('keeps its PIN out of logs, errors, command lines and environments', async () => {
    const pin = '5550123-do-not-tell';
    await hsm[Symbol.asyncDispose]();
    await insertNew({ pin });
    const keys = open();
    await keys.generate('root-1', 'ecdsa-p256');
    const [pid] = tokenProcesses();
    expect(pid).toBeDefined();
    expect(commandLine(pid ?? 0)).not.toContain(pin);
    expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toContain(pin);
    await hsm.remove();
    const lost: unknown = await keys.list().catch((error: unknown) => error);
    await hsm.insert();
    const refusing = open({ pin: new Secret(`${pin}-wrong`) });
    const refused: unknown = await refusing.list().catch((error: unknown) => error);
    const said = inspect([lost, refused, keys, refusing, lines], { depth: 12, showHidden: true });
    expect(said).toMatch(/refused the PIN/);
    expect(said).not.toContain(pin);
  });

  it('leaves objects of others alone, whatever they are called', async () => {
    const [ours, theirs] = [open(), open({ keyPrefix: 'citadel-b' })];
    await theirs.generate('root-1', 'ecdsa-p256');
    await hsm.util(
      '--import',
      await pem(),
      '--token',
      hsm.label,
      '--label',
      'citadel:root-1',
      '--id',
      'a1b2',
      '--pin',
      hsm.pin,
    );
    const foreign = await hsm.objects();
    expect(await ours.list()).toEqual([]);
    expect(await ours.get('root-1')).toBeUndefined();
    await ours.destroy('root-1');
    await ours.destroy('b-root-1');
    expect(await hsm.objects()).toEqual(foreign);
    await ours.generate('root-1', 'ecdsa-p256');
    expect((await ours.list()).map(({ id }) => id)).toEqual(['root-1']);
    await ours.destroy('root-1');
    expect([...(await hsm.objects())].sort()).toEqual([...foreign].sort());
  });

  it('takes no key that was put there without the PIN', async () => {
    const keys = open();
    const script = new URL('../../support/plant-token-key.ts', import.meta.url).pathname;
    execFileSync(process.execPath, [
      '--conditions=citadel-source',
      script,
      hsm.module,
      hsm.label,
      'citadel:root-1',
    ]);
    await expect(keys.get('root-1')).rejects.toEqual(failedPrecondition);
    await expect(keys.generate('root-1', 'ecdsa-p256')).rejects.toEqual(failedPrecondition);
    await expect(keys.list()).rejects.toEqual(failedPrecondition);
    // It is in the way, and goes like any other.
    await keys.destroy('root-1');
    await keys.generate('root-1', 'ecdsa-p256');
  });

  async function pem(): Promise<string> {
    const { generateKeyPairSync } = await import('node:crypto');
    const { writeFile } = await import('node:fs/promises');
    const file = `${hsm.configuration}.pem`;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return file;
  }

  it('makes anew a key whose making was cut off, and refuses one that has lost its public part', async () => {
    const keys = open();
    const whole = await keys.generate('root-1', 'ecdsa-p256');
    const [first = '', second = ''] = await hsm.objects();
    // One of the two is the private key; a copy of the other one is all that a cut-off leaves.
    const contents = await readFile(first);
    await rm(first);
    const fresh = open();
    const found = await fresh.get('root-1').catch((error: unknown) => error);
    if (found === undefined) expect(await hsm.objects()).toEqual([second]);
    else {
      expect(found).toEqual(failedPrecondition);
      await expect(fresh.generate('root-1', 'ecdsa-p256')).rejects.toEqual(failedPrecondition);
      const { writeFile } = await import('node:fs/promises');
      await writeFile(first, contents);
      await rm(second);
    }
    const again = open();
    expect(await again.get('root-1')).toBeUndefined();
    const made = await again.generate('root-1', 'ecdsa-p256');
    expect(Buffer.from(made.publicKey).equals(whole.publicKey)).toBe(false);
    await made.sign(data);
    expect(await hsm.objects()).toHaveLength(2);
  });

  it('goes on in another process when the module crashes, and gives up on one that hangs', async () => {
    const keys = open({ timeout: 3_000 });
    const key = await keys.generate('root-1', 'ecdsa-p256');
    const [crashed = 0] = tokenProcesses();
    process.kill(crashed, 'SIGSEGV');
    await waitFor(() => !tokenProcesses().includes(crashed));
    await key.sign(data);
    const [hung = 0] = tokenProcesses();
    expect(hung).not.toBe(crashed);
    process.kill(hung, 'SIGSTOP');
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 5);
    // Tried once in the process that hangs, then in a new one.
    await key.sign(data);
    clearInterval(turning);
    expect(turns).toBeGreaterThan(20);
    await waitFor(() => !tokenProcesses().includes(hung));
  });

  it('makes one key, whenever its process is killed meanwhile', async () => {
    const keys = open();
    await keys.check();
    let cutOff = 0;
    for (let delay = 0; delay < 16; delay += 2) {
      const making = keys.generate('root-1', 'ecdsa-p256').catch(() => undefined);
      setTimeout(() => {
        for (const pid of tokenProcesses()) process.kill(pid, 'SIGKILL');
      }, delay);
      cutOff += (await making) === undefined ? 1 : 0;
      // As a rotation goes on with a step that was cut off.
      const key = (await keys.get('root-1')) ?? (await keys.generate('root-1', 'ecdsa-p256'));
      await key.sign(data);
      expect(await hsm.shown()).toBe(2);
      await keys.destroy('root-1');
    }
    expect(cutOff).toBeGreaterThan(0);
  }, 120_000);

  it('leaves no process behind', async () => {
    const keys = open();
    await keys.check();
    expect(tokenProcesses()).toHaveLength(1);
    await keys.close();
    expect(tokenProcesses()).toEqual([]);
  });

  it('names what the token lacks', async () => {
    await hsm[Symbol.asyncDispose]();
    await insertNew({
      settings: 'slots.mechanisms = CKM_EC_KEY_PAIR_GEN,CKM_EC_EDWARDS_KEY_PAIR_GEN,CKM_ECDSA',
    });
    const keys = open();
    await expect(keys.generate('a', 'ed25519')).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('CKM_EDDSA'),
    });
    expect(await hsm.objects()).toEqual([]);
  });

  it('says which token it looked for where there is none, or more than one', async () => {
    await expect(open({ token: { kind: 'label', value: 'other' } }).check()).rejects.toMatchObject({
      code: 'Unavailable',
      details: expect.stringContaining('citadel'),
    });
    await hsm.util(
      '--init-token',
      '--free',
      '--label',
      hsm.label,
      '--pin',
      hsm.pin,
      '--so-pin',
      '1234567890',
    );
    const error: unknown = await open()
      .check()
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'FailedPrecondition' });
    const [serial = ''] = /[0-9a-f]{16}/.exec(inspect(error)) ?? [];
    await open({ token: { kind: 'serial', value: serial } }).check();
  });

  it('says that there is no such module', async () => {
    await expect(open({ module: '/nowhere/module.so' }).check()).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.not.stringContaining('/nowhere'),
      details: expect.stringContaining('/nowhere'),
    });
  });
});
