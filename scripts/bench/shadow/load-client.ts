import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LoadCommand, LoadResult, LoadTarget } from './load.ts';

/** Callers and their application, in a thread of their own: what the server does beside them is not what is measured. */
export class Load {
  readonly #worker = new Worker(join(import.meta.dirname, 'load.ts'), { workerData: 'load' });

  async application(): Promise<number> {
    const [port]: number[] = await once(this.#worker, 'message');
    if (port === undefined) throw new Error('the application has no port');
    return port;
  }

  async connect(target: LoadTarget): Promise<void> {
    await this.#ask({ kind: 'connect', target });
  }

  async measure(warmUp: number, milliseconds: number): Promise<LoadResult> {
    const [result]: LoadResult[] = await this.#ask({ kind: 'measure', warmUp, milliseconds });
    if (!result) throw new Error('nothing was measured');
    if (result.failures.length > 0)
      throw new Error(`calls failed: ${result.failures.slice(0, 3).join('; ')}`);
    return result;
  }

  async #ask(command: LoadCommand) {
    const answered = once(this.#worker, 'message');
    // A worker has no origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    this.#worker.postMessage(command);
    return answered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
