import type { PKCS11 } from 'pkcs11js';

/** A session's handle, as the library gives it. */
export type Session = ReturnType<PKCS11['C_OpenSession']>;

/** CKF_SERIAL_SESSION | CKF_RW_SESSION */
export const readWrite = 0x04 | 0x02;

/**
 * The sessions with one token, opened when they are needed. Each has one user at a time, for a session holds one operation;
 * one in which something failed is closed, so that no operation is left active in it.
 */
export class Sessions {
  readonly #library: PKCS11;
  readonly #slot: Buffer;
  readonly #most: number;
  readonly #free: Session[] = [];
  readonly #waiting: (() => void)[] = [];
  #used = 0;

  constructor(library: PKCS11, slot: Buffer, most: number) {
    this.#library = library;
    this.#slot = slot;
    this.#most = most;
  }

  async use<T>(work: (session: Session) => T | Promise<T>): Promise<T> {
    while (this.#used >= this.#most) {
      // oxlint-disable-next-line no-await-in-loop -- whoever is woken looks again
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    this.#used += 1;
    try {
      const session = this.#free.pop() ?? this.#library.C_OpenSession(this.#slot, readWrite);
      try {
        const result = await work(session);
        this.#free.push(session);
        return result;
      } catch (error) {
        this.#discard(session);
        throw error;
      }
    } finally {
      this.#used -= 1;
      this.#waiting.shift()?.();
    }
  }

  #discard(session: Session): void {
    try {
      this.#library.C_CloseSession(session);
    } catch {
      // It is gone with its token.
    }
  }
}
