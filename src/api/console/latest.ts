import { CitadelError } from '../../kernel/index.ts';

/** One piece of work at a time of each owner: the next one ends the one before it, whose answer nobody looks at any more. */
export class Latest {
  readonly #running = new Map<string, AbortController>();

  /** @throws CitadelError Cancelled where the same owner asked again meanwhile */
  async run<T>(owner: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const own = new AbortController();
    this.#running.get(owner)?.abort();
    this.#running.set(owner, own);
    try {
      return await work(AbortSignal.any([signal, own.signal]));
    } catch (error) {
      if (own.signal.aborted)
        throw new CitadelError(
          'Cancelled',
          'you have asked for something else meanwhile, here or in another tab',
        );
      throw error;
    } finally {
      if (this.#running.get(owner) === own) this.#running.delete(owner);
    }
  }
}
