import type { KeyManager, SigningKey } from '../../../domain/ports/index.ts';
import { type Entropy, type Log, type Secret, systemEntropy } from '../../../kernel/index.ts';
import {
  generateKeyPair,
  type KeyAlgorithm,
  type KeyPair,
  keyAlgorithms,
  publicKeyAlgorithm,
  readPrivateKey,
} from '../../../pki/index.ts';
import { HeldKeys, keyIdTaken, keyManagerClosed, requireAlgorithm, requireKeyId } from '../shared/index.ts';
import { openKey, requireSameSecret, sealKey } from './envelope.ts';
import { KeyFiles } from './files.ts';
import { decodeKeyFile, encodeKeyFile, type SealedKeyFile } from './format.ts';
import { type DiskEncryption, openProtection, type Protection } from './protection.ts';

export type { DiskEncryption } from './protection.ts';

export interface DiskKeyManagerOptions {
  /** Made with mode 0700 when it is not there. One process uses it at a time. */
  readonly directory: string;
  readonly encryption: DiskEncryption;
  readonly log: Log;
  readonly entropy?: Entropy;
}

/**
 * Opens a directory of private keys, one encrypted file a key. A damaged file is an error wherever its key is asked for,
 * never a reason to make another key.
 * @throws CitadelError FailedPrecondition: wrong passphrase or key file, a directory or file open to others (the details
 *   hold the command that mends it), a format of a newer version; InvalidArgument: a passphrase that is too short
 */
export async function openDiskKeyManager(options: DiskKeyManagerOptions): Promise<KeyManager> {
  const { directory, encryption, log, entropy = systemEntropy } = options;
  const protection = await openProtection(encryption);
  const files = new KeyFiles(directory, entropy);
  await files.prepare();
  const manager = new DiskKeyManager(files, protection, entropy, log);
  await manager.requireRightSecret();
  return manager;
}

class DiskKeyManager implements KeyManager {
  readonly backend = 'disk';
  readonly algorithms = keyAlgorithms;
  readonly #files: KeyFiles;
  readonly #protection: Protection;
  readonly #entropy: Entropy;
  readonly #log: Log;
  readonly #held = new HeldKeys();
  /** Loads under way, so that two callers get one key. */
  readonly #loads = new Map<string, Promise<SigningKey | undefined>>();
  /** As the first file that was read says, so that all files of a directory need one derivation. */
  #derivation: SealedKeyFile['derivation'] | undefined;
  #closed = false;

  constructor(files: KeyFiles, protection: Protection, entropy: Entropy, log: Log) {
    this.#files = files;
    this.#protection = protection;
    this.#entropy = entropy;
    this.#log = log;
  }

  /** Damaged files are told of here and refused where they are used; a wrong secret is refused at once. */
  async requireRightSecret(): Promise<void> {
    for (const id of await this.#files.ids()) {
      let file: SealedKeyFile | undefined;
      try {
        file = await this.#read(id);
      } catch (error) {
        this.#log.error('a key file cannot be used', { key: id, error });
        continue;
      }
      if (file) requireSameSecret(file, await this.#protection.derive(file.derivation));
    }
  }

  async generate(id: string, algorithm: KeyAlgorithm): Promise<SigningKey> {
    requireAlgorithm(algorithm, keyAlgorithms);
    await this.#requireFree(id);
    return await this.#add(id, await generateKeyPair(algorithm));
  }

  async import(id: string, pkcs8: Secret<Uint8Array>): Promise<SigningKey> {
    await this.#requireFree(id);
    return await this.#add(id, readPrivateKey(pkcs8));
  }

  async #requireFree(id: string): Promise<void> {
    this.#requireOpen();
    requireKeyId(id);
    // Saves the work of making a key; what decides is the creation of the file.
    if ((await this.#files.ids()).includes(id)) throw keyIdTaken();
  }

  async #add(id: string, pair: KeyPair): Promise<SigningKey> {
    this.#derivation ??= this.#protection.newDerivation;
    const secret = await this.#protection.derive(this.#derivation);
    const algorithm = publicKeyAlgorithm(pair.spki);
    const key = { id, algorithm, pkcs8: pair.privateKeyPkcs8 };
    const sealed = encodeKeyFile(sealKey(key, this.#derivation, secret, this.#entropy));
    this.#requireOpen();
    await this.#files.create(id, sealed);
    return this.#held.hold(id, pair.privateKey);
  }

  async get(id: string): Promise<SigningKey | undefined> {
    this.#requireOpen();
    requireKeyId(id);
    const held = this.#held.get(id);
    if (held) return held;
    const load = this.#loads.get(id) ?? this.#load(id).finally(() => this.#loads.delete(id));
    this.#loads.set(id, load);
    return await load;
  }

  async list(): Promise<readonly SigningKey[]> {
    this.#requireOpen();
    const keys: SigningKey[] = [];
    for (const id of await this.#files.ids()) {
      const key = await this.get(id);
      if (key) keys.push(key);
    }
    return keys;
  }

  async destroy(id: string): Promise<void> {
    this.#requireOpen();
    requireKeyId(id);
    await this.#files.remove(id);
    this.#held.drop(id);
    this.#log.info('key destroyed', { key: id });
  }

  /** Also finds a key file that was damaged, or opened to others, since it was loaded. */
  async check(signal?: AbortSignal): Promise<void> {
    this.#requireOpen();
    for (const id of await this.#files.ids()) {
      signal?.throwIfAborted();
      const file = await this.#read(id);
      if (file) openKey(file, await this.#protection.derive(file.derivation));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#held.clear();
  }

  async #load(id: string): Promise<SigningKey | undefined> {
    await this.#files.check();
    const file = await this.#read(id);
    if (!file) return undefined;
    const pkcs8 = openKey(file, await this.#protection.derive(file.derivation));
    this.#requireOpen();
    return this.#held.get(id) ?? this.#held.hold(id, readPrivateKey(pkcs8).privateKey);
  }

  async #read(id: string): Promise<SealedKeyFile | undefined> {
    const text = await this.#files.read(id);
    if (text === undefined) return undefined;
    const file = decodeKeyFile(text, id);
    this.#derivation ??= file.derivation;
    return file;
  }

  #requireOpen(): void {
    if (this.#closed) throw keyManagerClosed();
  }
}
