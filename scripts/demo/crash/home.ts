import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openPkcs11KeyManager } from '../../../src/adapters/keys/pkcs11/index.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/index.ts';
import type { AuthorityRecord, Store } from '../../../src/domain/ports/index.ts';
import { Secret, sameMembers, silentLog, systemClock } from '../../../src/kernel/index.ts';
import type { SoftHsm } from '../../../test/parts/index.ts';
import type { Way } from './ways.ts';

export interface Ended {
  /** Points that it passed. */
  readonly passed: number;
  /** Actions, effects and the like that its audit record tells of. */
  readonly onRecord: readonly string[];
}

export type RunResult = { readonly ended: Ended } | { readonly diedAt: string };

/** A server's home on this disk, and the token that its root's key is on, if it is. */
export class Home {
  readonly #directory: string;
  readonly #token: SoftHsm | undefined;
  readonly #way: Way;

  constructor(directory: string, token: SoftHsm | undefined, way: Way) {
    this.#directory = directory;
    this.#token = token;
    this.#way = way;
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
    if (!this.#token)
      return (await readdir(this.#at('keys'))).filter((name) => /^(root|rehearsal)-/.test(name));
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

  /** What the way begins with, where it begins in the midst of something. */
  async prepare(): Promise<void> {
    if (this.#way.prepared) await this.run('prepare');
  }

  /** Runs a server until it has gone its way or has died. @param point 0: it does not die */
  async run(point: number | 'prepare'): Promise<RunResult> {
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
    const program = join(import.meta.dirname, 'server.ts');
    const options = ['--conditions=citadel-source', '--disable-warning=ExperimentalWarning'];
    const child = spawn(
      process.execPath,
      [...options, program, JSON.stringify(config), this.#at('citadel.db'), this.#way.name, String(point)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...(this.#token && { SOFTHSM2_CONF: this.#token.configuration }) },
      },
    );
    const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('close', (code, signal) => resolve([code, signal])),
    );
    const said = await text(child.stdout);
    const [code, signal] = await closed;
    if (signal === 'SIGKILL') return { diedAt: said };
    if (code !== 0) throw new Error(`the server ended with ${code}`);
    const [passed, ...onRecord] = said.split(' ');
    return { ended: { passed: Number(passed), onRecord } };
  }

  /** @returns what is not as it must be at the end of the way */
  async faults(): Promise<string[]> {
    const store = await openSqliteStore({ file: this.#at('citadel.db'), clock: systemClock, log: silentLog });
    try {
      const records = await store.authorities.list();
      const roots = records.filter(({ kind }) => kind === 'root');
      return [
        ...(await this.#keyFaults(records)),
        ...this.#rootFaults(roots),
        ...(this.#way.name === 'revoked' ? await revocationFaults(store, records) : []),
        ...((await store.rotations.current()) === undefined ? [] : ['the rotation is still under way']),
        ...this.#sequenceFaults(await store.authorities.bundleSequence()),
      ];
    } finally {
      await store.close();
    }
  }

  async #keyFaults(records: readonly AuthorityRecord[]): Promise<string[]> {
    const issuing = records.filter(({ kind, state }) => kind === 'issuing' && state !== 'retired');
    // The key of the audit record's checkpoints is there, too.
    const issuingKeys = (await readdir(this.#at('issuing-keys')))
      .filter((name) => /^(issuing|rehearsal)-/.test(name))
      .toSorted();
    const recorded = issuing.map(({ keyId }) => `${keyId}.key`).toSorted();
    const active = records.find(({ kind, state }) => kind === 'root' && state === 'active');
    const keys = await this.#rootKeys();
    return [
      ...(keys.length === 1 && active && keys[0]?.startsWith(active.keyId)
        ? []
        : [`keys are ${keys.join()}`]),
      ...(sameMembers(issuingKeys, recorded)
        ? []
        : [`issuing keys are ${issuingKeys.join()}, on record are ${recorded.join()}`]),
    ];
  }

  #rootFaults(roots: readonly AuthorityRecord[]): string[] {
    const { retired, crossSigned } = this.#way;
    const states = roots.map(({ state }) => state).toSorted();
    const wanted = ['active', ...Array.from({ length: retired }, () => 'retired')];
    // The one that the rotation has made: it signs at the end, or has gone.
    const made = roots.find(({ state }) => state === crossSigned);
    return [
      ...(states.join() === wanted.join() ? [] : [`roots are ${states.join()}`]),
      ...(crossSigned === undefined || made?.intermediates.length === 1
        ? []
        : ['the old root has not certified the new one once']),
    ];
  }

  #sequenceFaults(sequence: bigint): string[] {
    return sequence === this.#way.sequence ? [] : [`the bundle's sequence number is ${sequence}`];
  }
}

/** What was taken back stays so, and whoever signs has a CRL. */
async function revocationFaults(
  { revocations, issuance }: Store,
  records: readonly AuthorityRecord[],
): Promise<string[]> {
  const [leaf] = await revocations.certificates();
  const issued = leaf && (await issuance.get(leaf.serial));
  const revoked = new Set((await revocations.authorities()).map(({ fingerprint }) => fingerprint));
  const tainted = records.filter((record) => record.tainted);
  const crls = new Set((await revocations.crls()).map(({ issuer }) => issuer));
  const signs = records.find(({ kind, state }) => kind === 'issuing' && state === 'active');
  return [
    ...(issued ? [] : ['the certificate is not revoked']),
    ...(tainted.length === 2 && tainted.every(({ state }) => state === 'retired')
      ? []
      : [`tainted are ${tainted.map(({ id, state }) => `${id} ${state}`).join() || 'none'}`]),
    ...tainted.filter(({ fingerprint }) => !revoked.has(fingerprint)).map(({ id }) => `${id} is not revoked`),
    ...(issued && tainted.some(({ fingerprint }) => fingerprint === issued.issuer)
      ? []
      : ['the issuing authority of the certificate is not tainted']),
    ...(signs && crls.has(signs.fingerprint) ? [] : ['who signs has no CRL']),
  ];
}
