import type { KeyObject } from 'node:crypto';
import type { SigningKey } from '../../../domain/ports/index.ts';
import { localSigner } from '../../../pki/index.ts';
import { keyDestroyed } from './key-id.ts';

interface HeldKey {
  readonly key: SigningKey;
  dropped: boolean;
}

/** The keys that this process holds; a key taken out no longer signs, also for those who still have it. */
export class HeldKeys {
  readonly #keys = new Map<string, HeldKey>();

  get(id: string): SigningKey | undefined {
    return this.#keys.get(id)?.key;
  }

  list(): SigningKey[] {
    return [...this.#keys.values()].map(({ key }) => key);
  }

  hold(id: string, privateKey: KeyObject): SigningKey {
    const signer = localSigner(privateKey);
    const held: HeldKey = {
      dropped: false,
      key: {
        id,
        algorithm: signer.algorithm,
        publicKey: signer.publicKey,
        sign: async (data) => {
          if (held.dropped) throw keyDestroyed();
          return await signer.sign(data);
        },
      },
    };
    this.#keys.set(id, held);
    return held.key;
  }

  drop(id: string): void {
    const held = this.#keys.get(id);
    if (!held) return;
    held.dropped = true;
    this.#keys.delete(id);
  }

  clear(): void {
    for (const id of this.#keys.keys()) this.drop(id);
  }
}
