import type { Secret } from '../../kernel/index.ts';
import type { CertificateSigner, KeyAlgorithm } from '../../pki/index.ts';

/** A private key that stays in its home; only its signatures leave it. */
export interface SigningKey extends CertificateSigner {
  /** Unique within its KeyManager. */
  readonly id: string;
}

/**
 * A home of private keys: memory, disk, Vault transit, PKCS#11. Ids match `[a-z0-9][a-z0-9-]{0,62}`.
 * Every method throws CitadelError Unavailable while the home cannot be reached.
 */
export interface KeyManager {
  /** Names the backend, for status and the audit record: `memory`, `disk`, `vault`, `pkcs11`. */
  readonly backend: string;
  /** Of the keys that it makes; absent: classicAlgorithms. */
  readonly algorithms?: readonly KeyAlgorithm[];
  /** @throws CitadelError AlreadyExists when the id is taken; InvalidArgument when the algorithm is not offered. */
  generate(id: string, algorithm: KeyAlgorithm): Promise<SigningKey>;
  /**
   * Takes a key made elsewhere, as an existing root's is.
   * @param pkcs8 PKCS#8 DER, unencrypted
   * @throws CitadelError AlreadyExists when the id is taken; InvalidArgument for what is no private key of an algorithm
   *   on offer.
   */
  import(id: string, pkcs8: Secret<Uint8Array>): Promise<SigningKey>;
  get(id: string): Promise<SigningKey | undefined>;
  list(): Promise<readonly SigningKey[]>;
  /** Removes the key for good; safe to repeat. */
  destroy(id: string): Promise<void>;
  /** Resolves when the home answers and would sign. */
  check(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
