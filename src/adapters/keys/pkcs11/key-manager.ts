import { type KeyObject, verify } from 'node:crypto';
import type { KeyManager, SigningKey } from '../../../domain/ports/index.ts';
import { CitadelError, type Log, type Secret } from '../../../kernel/index.ts';
import {
  derEcdsaSignature,
  type KeyAlgorithm,
  publicKeyAlgorithm,
  readPrivateKey,
} from '../../../pki/index.ts';
import { isKeyId, keyIdTaken, keyManagerClosed, requireAlgorithm, requireKeyId } from '../shared/index.ts';
import { keyTypes, signingInput, type TokenAlgorithm, tokenAlgorithms } from './algorithms.ts';
import { privatePartOf } from './private-part.ts';
import type { TokenChoice, TokenKey } from './protocol.ts';
import { readTokenKey } from './public-key.ts';
import { TokenClient } from './token-client.ts';

export interface Pkcs11KeyManagerOptions {
  /** Path of the token maker's shared library. */
  readonly module: string;
  readonly token: TokenChoice;
  /** The user's, not the security officer's. */
  readonly pin: Secret<string>;
  /** Before each key's id in CKA_LABEL and CKA_ID, with a colon in between; `citadel` by default. */
  readonly keyPrefix?: string;
  /** Signatures made at once; 4 by default. */
  readonly sessions?: number;
  /** Of one call, milliseconds; 10 s by default. */
  readonly timeout?: number;
  readonly log: Log;
}

const generationTimeout = 300_000;

/**
 * Keys on a PKCS #11 token: made there, not extractable, and told from whatever else is on it by their names. The module is
 * loaded at the first call, in a process of its own.
 * @throws CitadelError InvalidArgument for options that cannot be right
 */
export function openPkcs11KeyManager(options: Pkcs11KeyManagerOptions): KeyManager {
  const { keyPrefix = 'citadel', sessions = 4, timeout = 10_000, ...rest } = options;
  if (!isKeyId(keyPrefix))
    throw new CitadelError('InvalidArgument', 'the key prefix has lower-case letters, digits and hyphens');
  const client = new TokenClient({ ...rest, sessions, timeout, generationTimeout });
  return new Pkcs11KeyManager(client, `${keyPrefix}:`, options.log);
}

class Pkcs11KeyManager implements KeyManager {
  readonly backend = 'pkcs11';
  readonly #client: TokenClient;
  readonly #prefix: string;
  readonly #log: Log;
  readonly #warned = new Set<string>();
  /** Ids whose key is being made, so that of two calls for one id the second is refused. */
  readonly #reserved = new Set<string>();
  #closed = false;

  constructor(client: TokenClient, prefix: string, log: Log) {
    this.#client = client;
    this.#prefix = prefix;
    this.#log = log;
  }

  async generate(id: string, algorithm: KeyAlgorithm): Promise<SigningKey> {
    const { generation, signature, bits, curve } = specOf(algorithm);
    return await this.#create(id, (label) =>
      this.#client.call('generate', { label, generation, signature, bits, curve }, { repeatable: false }),
    );
  }

  async import(id: string, pkcs8: Secret<Uint8Array>): Promise<SigningKey> {
    this.#requireOpen();
    requireKeyId(id);
    const { spki, privateKey } = readPrivateKey(pkcs8);
    const spec = specOf(publicKeyAlgorithm(spki));
    const { signature, bits } = spec;
    return await this.#create(id, (label) => {
      const key = privatePartOf(spec, privateKey);
      return this.#client.call('import', { label, signature, bits, key }, { repeatable: false });
    });
  }

  async #create(id: string, make: (label: string) => Promise<unknown>): Promise<SigningKey> {
    this.#requireOpen();
    requireKeyId(id);
    if (this.#reserved.has(id)) throw keyIdTaken();
    this.#reserved.add(id);
    try {
      // Also finds a token that has come back, which what follows would not look for a second time.
      if (await this.get(id)) throw keyIdTaken();
      await make(this.#label(id));
      const key = await this.get(id);
      if (!key)
        throw new CitadelError(
          'Unavailable',
          'the PKCS#11 token does not show the key that it has just taken',
        );
      return key;
    } finally {
      this.#reserved.delete(id);
    }
  }

  async get(id: string): Promise<SigningKey | undefined> {
    this.#requireOpen();
    requireKeyId(id);
    const key = await this.#client.call('get', this.#label(id));
    return key && this.#signingKey(id, key);
  }

  async list(): Promise<readonly SigningKey[]> {
    this.#requireOpen();
    const keys = await this.#client.call('list', this.#prefix);
    return keys
      .map((key) => ({ key, id: key.label.slice(this.#prefix.length) }))
      .filter(({ id }) => isKeyId(id))
      .map(({ key, id }) => this.#signingKey(id, key));
  }

  async destroy(id: string): Promise<void> {
    this.#requireOpen();
    requireKeyId(id);
    if ((await this.#client.call('destroy', this.#label(id))) > 0)
      this.#log.info('key destroyed', { key: id });
  }

  async check(signal?: AbortSignal): Promise<void> {
    this.#requireOpen();
    await this.#client.call('check', undefined, signal ? { signal } : {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  #signingKey(id: string, key: TokenKey): SigningKey {
    const read = readTokenKey(key);
    if (!read) {
      throw new CitadelError(
        'FailedPrecondition',
        'a key on the PKCS#11 token cannot be used to sign certificates: its public part is not there, or of no algorithm on offer',
        { details: `label ${key.label}` },
      );
    }
    this.#warnIfLoose(id, key);
    const { spec, publicKey } = read;
    return {
      id,
      algorithm: spec.algorithm,
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      sign: (data) => this.#sign(id, spec, publicKey, data),
    };
  }

  #warnIfLoose(id: string, { loose }: TokenKey): void {
    if (!loose || this.#warned.has(id)) return;
    this.#warned.add(id);
    this.#log.warn('a key on the PKCS#11 token may leave it; make a new one and rotate to it', { key: id });
  }

  async #sign(id: string, spec: TokenAlgorithm, publicKey: KeyObject, data: Uint8Array): Promise<Uint8Array> {
    this.#requireOpen();
    const raw = await this.#client.call('sign', {
      label: this.#label(id),
      mechanism: spec.signature.type,
      data: signingInput(spec, data),
    });
    const signature = spec.keyType === keyTypes.ec ? derEcdsaSignature(raw) : raw;
    // Whatever went wrong in between, a signature that does not verify goes no further.
    if (!verify(spec.digest, data, publicKey, signature)) {
      throw new CitadelError('Internal', 'the PKCS#11 token returned a signature that does not verify', {
        details: `key ${id}`,
      });
    }
    return signature;
  }

  /** The colon is in no id and no prefix: no prefix is the beginning of another one's names. */
  #label(id: string): string {
    return this.#prefix + id;
  }

  #requireOpen(): void {
    if (this.#closed) throw keyManagerClosed();
  }
}

function specOf(algorithm: KeyAlgorithm): TokenAlgorithm {
  requireAlgorithm(
    algorithm,
    tokenAlgorithms.map((each) => each.algorithm),
  );
  const spec = tokenAlgorithms.find((each) => each.algorithm === algorithm);
  if (!spec) throw new CitadelError('Internal', 'no such algorithm');
  return spec;
}
