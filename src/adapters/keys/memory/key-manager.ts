import type { KeyObject } from 'node:crypto';
import type { KeyManager, SigningKey } from '../../../domain/ports/index.ts';
import type { Secret } from '../../../kernel/index.ts';
import { generateKeyPair, type KeyAlgorithm, keyAlgorithms, readPrivateKey } from '../../../pki/index.ts';
import { HeldKeys, keyIdTaken, keyManagerClosed, requireAlgorithm, requireKeyId } from '../shared/index.ts';

/** Keys that live as long as the process: for issuing keys that may be made anew, and for tests. */
export function createMemoryKeyManager(): KeyManager {
  return new MemoryKeyManager();
}

class MemoryKeyManager implements KeyManager {
  readonly backend = 'memory';
  readonly algorithms = keyAlgorithms;
  readonly #keys = new HeldKeys();
  /** Ids whose key is being made, so that of two calls for one id the second is refused. */
  readonly #reserved = new Set<string>();
  #closed = false;

  async generate(id: string, algorithm: KeyAlgorithm): Promise<SigningKey> {
    requireAlgorithm(algorithm, keyAlgorithms);
    return await this.#add(id, async () => (await generateKeyPair(algorithm)).privateKey);
  }

  async import(id: string, pkcs8: Secret<Uint8Array>): Promise<SigningKey> {
    return await this.#add(id, async () => readPrivateKey(pkcs8).privateKey);
  }

  async #add(id: string, make: () => Promise<KeyObject>): Promise<SigningKey> {
    this.#requireOpen();
    requireKeyId(id);
    if (this.#reserved.has(id) || this.#keys.get(id)) throw keyIdTaken();
    this.#reserved.add(id);
    try {
      const privateKey = await make();
      this.#requireOpen();
      return this.#keys.hold(id, privateKey);
    } finally {
      this.#reserved.delete(id);
    }
  }

  async get(id: string): Promise<SigningKey | undefined> {
    this.#requireOpen();
    requireKeyId(id);
    return this.#keys.get(id);
  }

  async list(): Promise<readonly SigningKey[]> {
    this.#requireOpen();
    return this.#keys.list();
  }

  async destroy(id: string): Promise<void> {
    this.#requireOpen();
    requireKeyId(id);
    this.#keys.drop(id);
  }

  async check(): Promise<void> {
    this.#requireOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#keys.clear();
  }

  #requireOpen(): void {
    if (this.#closed) throw keyManagerClosed();
  }
}
