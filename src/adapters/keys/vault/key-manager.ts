import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { KeyManager, SigningKey } from '../../../domain/ports/index.ts';
import { CitadelError, type Entropy, type Log, type Secret } from '../../../kernel/index.ts';
import { encodeSpki, type KeyAlgorithm, publicKeyAlgorithm, readPrivateKey } from '../../../pki/index.ts';
import {
  type Json,
  openVaultClient,
  requireMount,
  type VaultCall,
  type VaultClient,
  type VaultConnectionOptions,
} from '../../vault/index.ts';
import {
  isKeyId,
  keyDestroyed,
  keyIdTaken,
  keyManagerClosed,
  requireAlgorithm,
  requireKeyId,
} from '../shared/index.ts';
import { signingInput, type TransitAlgorithm, transitAlgorithms } from './transit-algorithms.ts';
import { wrapForTransit } from './wrap.ts';

export interface VaultKeyManagerOptions extends VaultConnectionOptions {
  /** Where the transit secrets engine is mounted; `transit` by default. */
  readonly mount?: string;
  /** Before each key's name in transit, `citadel-` by default; what the policy grants. */
  readonly keyPrefix?: string;
}

/**
 * Keys in the transit engine of Vault or OpenBao: never exportable, and never leaving it. Vault is reached at the first
 * call. Least policy, importing a key included: deploy/vault/citadel-policy.hcl.
 * @throws CitadelError InvalidArgument for options that cannot be right, FailedPrecondition for an unreadable CA file
 */
export async function openVaultKeyManager(options: VaultKeyManagerOptions): Promise<KeyManager> {
  const { mount = 'transit', keyPrefix = 'citadel-' } = options;
  requireMount(mount);
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(keyPrefix)) {
    throw new CitadelError('InvalidArgument', 'the key prefix has lower-case letters, digits and hyphens');
  }
  return new VaultKeyManager(await openVaultClient(options), mount, keyPrefix, options);
}

/** A key here is never rotated in place, so that its public key stays what its certificate says. */
const keyVersion = 1;
const readsAtOnce = 4;

class VaultKeyManager implements KeyManager {
  readonly backend = 'vault';
  readonly algorithms = transitAlgorithms.map(({ algorithm }) => algorithm);
  readonly #client: VaultClient;
  readonly #mount: string;
  readonly #prefix: string;
  readonly #log: Log;
  readonly #entropy: Entropy;
  readonly #warned = new Set<string>();
  /** Ids whose key is being made, so that of two calls for one id the second is refused. */
  readonly #reserved = new Set<string>();
  #closed = false;

  constructor(
    client: VaultClient,
    mount: string,
    prefix: string,
    { log, entropy }: { log: Log; entropy: Entropy },
  ) {
    this.#client = client;
    this.#mount = mount;
    this.#prefix = prefix;
    this.#log = log;
    this.#entropy = entropy;
  }

  async generate(id: string, algorithm: KeyAlgorithm): Promise<SigningKey> {
    this.#requireOpen();
    requireKeyId(id);
    const type = this.#typeOf(algorithm);
    try {
      return await this.#create(id, '', ['create', 'update'], async () => ({ type, derived: false }));
    } catch (error) {
      // Which types there are differs between Vault and OpenBao, and by their versions.
      if (!(error instanceof CitadelError && /unknown key type/i.test(error.details ?? ''))) throw error;
      throw new CitadelError('InvalidArgument', `this Vault makes no keys of ${algorithm}`, { cause: error });
    }
  }

  async import(id: string, pkcs8: Secret<Uint8Array>): Promise<SigningKey> {
    this.#requireOpen();
    requireKeyId(id);
    const pair = readPrivateKey(pkcs8);
    const type = this.#typeOf(publicKeyAlgorithm(pair.spki));
    return await this.#create(id, '/import', ['update'], async () => ({
      type,
      hash_function: 'SHA256',
      allow_rotation: false,
      ciphertext: wrapForTransit(pair.privateKeyPkcs8, await this.#wrappingKey(), this.#entropy),
    }));
  }

  /**
   * Transit has no creation that fails when the name is taken: of two processes that make one id within the same
   * milliseconds, Vault's warning tells the second; OpenBao's answers are alike. Ids that must be unique between
   * replicas need a lock or a name of their own.
   */
  async #create(
    id: string,
    suffix: string,
    capabilities: readonly string[],
    body: () => Promise<object>,
  ): Promise<SigningKey> {
    if (this.#reserved.has(id)) throw keyIdTaken();
    this.#reserved.add(id);
    try {
      if (await this.#read(id)) throw keyIdTaken();
      const reply = await this.#call('POST', 'keys', id, {
        body: { ...(await body()), exportable: false, allow_plaintext_backup: false },
        suffix,
        capabilities,
        repeatable: false,
      });
      const warnings = reply?.get('warnings').texts() ?? [];
      if (warnings.some((warning) => /already exist/i.test(warning))) throw keyIdTaken();
      const key = await this.get(id);
      if (!key) throw new CitadelError('Unavailable', 'Vault does not show the key that it has just taken');
      return key;
    } finally {
      this.#reserved.delete(id);
    }
  }

  /** @returns transit's name of the algorithm */
  #typeOf(algorithm: KeyAlgorithm): string | undefined {
    const offered = transitAlgorithms.map((each) => each.algorithm);
    requireAlgorithm(algorithm, offered);
    return transitAlgorithms[offered.indexOf(algorithm)]?.type;
  }

  async #wrappingKey(): Promise<string> {
    const path = `${this.#mount}/wrapping_key`;
    const permission = { path, capabilities: ['read'] };
    const reply = await this.#client.call({ method: 'GET', path, permission, repeatable: true });
    return reply?.get('data').get('public_key').text() ?? '';
  }

  async get(id: string): Promise<SigningKey | undefined> {
    this.#requireOpen();
    requireKeyId(id);
    const data = await this.#read(id);
    return data && this.#signingKey(id, data);
  }

  async list(): Promise<readonly SigningKey[]> {
    this.#requireOpen();
    const ids = await this.#ids();
    const keys: SigningKey[] = [];
    for (let at = 0; at < ids.length; at += readsAtOnce) {
      const some = await Promise.all(ids.slice(at, at + readsAtOnce).map((id) => this.get(id)));
      keys.push(...some.filter((key) => key !== undefined));
    }
    return keys;
  }

  async destroy(id: string): Promise<void> {
    this.#requireOpen();
    requireKeyId(id);
    if (!(await this.#read(id))) return;
    await this.#call('POST', 'keys', id, {
      suffix: '/config',
      body: { deletion_allowed: true },
      capabilities: ['update'],
    });
    await this.#call('DELETE', 'keys', id, { capabilities: ['delete'] });
    this.#log.info('key destroyed', { key: id });
  }

  async check(signal?: AbortSignal): Promise<void> {
    this.#requireOpen();
    await this.#ids(signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  async #ids(signal?: AbortSignal): Promise<string[]> {
    const path = `${this.#mount}/keys`;
    const reply = await this.#client.call({
      method: 'LIST',
      path,
      permission: { path, capabilities: ['list'] },
      repeatable: true,
      ...(signal ? { signal } : {}),
    });
    const names = reply?.get('data').get('keys').texts() ?? [];
    return names
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => name.slice(this.#prefix.length))
      .filter(isKeyId);
  }

  async #read(id: string): Promise<Json | undefined> {
    return (await this.#call('GET', 'keys', id, { capabilities: ['read'] }))?.get('data');
  }

  #signingKey(id: string, data: Json): SigningKey {
    const type = data.get('type').text();
    const spec = transitAlgorithms.find((each) => each.type === type);
    const published = data.get('keys').get(String(keyVersion)).get('public_key').text();
    if (!spec || published === undefined) {
      throw new CitadelError('FailedPrecondition', 'a key in Vault cannot be used to sign certificates', {
        details: `key ${id}: type ${JSON.stringify(type)}, version ${keyVersion}${spec ? ' is not there' : ''}`,
      });
    }
    this.#warnIfLoose(id, data);
    const publicKey = readPublished(spec, published, id);
    return {
      id,
      algorithm: spec.algorithm,
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      sign: (input) => this.#sign(id, spec, publicKey, input),
    };
  }

  #warnIfLoose(id: string, data: Json): void {
    const loose = ['exportable', 'allow_plaintext_backup'].filter(
      (name) => data.get(name).boolean() !== false,
    );
    if (loose.length === 0 || this.#warned.has(id)) return;
    this.#warned.add(id);
    this.#log.warn('a key in Vault may leave it; make a new one and rotate to it', {
      key: id,
      settings: loose,
    });
  }

  async #sign(
    id: string,
    spec: TransitAlgorithm,
    publicKey: KeyObject,
    data: Uint8Array,
  ): Promise<Uint8Array> {
    this.#requireOpen();
    let reply: Json | undefined;
    try {
      reply = await this.#call('POST', 'sign', id, {
        body: { ...spec.sign, input: signingInput(spec, data), key_version: keyVersion },
        capabilities: ['update'],
      });
    } catch (error) {
      if (error instanceof CitadelError && error.code === 'FailedPrecondition' && !(await this.#read(id))) {
        throw keyDestroyed();
      }
      throw error;
    }
    const [, encoded = ''] =
      /^vault:v1:([A-Za-z0-9+/=]+)$/.exec(reply?.get('data').get('signature').text() ?? '') ?? [];
    const signature = Buffer.from(encoded, 'base64');
    // Whatever went wrong in between, a signature that does not verify goes no further.
    if (!verify(spec.digest, data, publicKey, signature)) {
      throw new CitadelError('Internal', 'Vault returned a signature that does not verify', {
        details: `key ${id}`,
      });
    }
    return signature;
  }

  async #call(
    method: VaultCall['method'],
    kind: 'keys' | 'sign',
    id: string,
    more: { body?: object; suffix?: string; capabilities: readonly string[]; repeatable?: boolean },
  ): Promise<Json | undefined> {
    const { body, suffix = '', capabilities, repeatable = true } = more;
    return await this.#client.call({
      method,
      path: `${this.#mount}/${kind}/${this.#prefix}${id}${suffix}`,
      permission: { path: `${this.#mount}/${kind}/${this.#prefix}*`, capabilities },
      repeatable,
      ...(body ? { body } : {}),
    });
  }

  #requireOpen(): void {
    if (this.#closed) throw keyManagerClosed();
  }
}

/** Transit shows ECDSA and RSA keys as PEM, Ed25519 and ML-DSA keys as the base64 of their octets. */
function readPublished(spec: TransitAlgorithm, published: string, id: string): KeyObject {
  try {
    if (spec.digest !== null) return createPublicKey(published);
    const key = encodeSpki(spec.algorithm, Buffer.from(published, 'base64'));
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    throw new CitadelError('FailedPrecondition', 'Vault shows a public key that cannot be read', {
      details: `key ${id}`,
    });
  }
}
