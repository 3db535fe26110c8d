import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PolicyWorld } from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import { CitadelError, Limiter } from '../../kernel/index.ts';
import type { AnalysisReply, AnalysisResults, AnalysisTask } from './task.ts';

const entry = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);
/** At once, of all: the same machine issues certificates. */
const running = 1;
const waiting = 8;
const deadline = 30_000;
/** MiB of the thread's heap; what needs more ends the thread and nothing else. */
const heap = 1_024;
/** Milliseconds that a thread is kept for the next task: starting one costs more than most comparisons. */
const idle = 120_000;

/** One task at a time in a thread of its own, which ends at a task's deadline, or when nobody waits for it. */
export function createPolicyAnalysis(): PolicyAnalysis {
  const places = new Limiter(running, waiting, 'too much is worked out at once; try again');
  const thread = new TaskThread();
  return {
    compare: (before, after, signal) =>
      places.run(signal, () =>
        thread.run({ kind: 'compare', before: plain(before), after: plain(after) }, signal),
      ),
    who: (world, to, signal) =>
      places.run(signal, () => thread.run({ kind: 'who', world: plain(world), to }, signal)),
    what: (world, from, signal) =>
      places.run(signal, () => thread.run({ kind: 'what', world: plain(world), from }, signal)),
    replay: (records, before, after, signal) =>
      places.run(signal, () =>
        thread.run({ kind: 'replay', records, before: plain(before), after: plain(after) }, signal),
      ),
  };
}

/** A world alone: a snapshot has more, which need not be copied into the thread. */
function plain({ settings, workloads, services, policies, strict }: PolicyWorld): PolicyWorld {
  return { settings, workloads, services, policies, strict };
}

interface Waiting {
  readonly resolve: (reply: AnalysisReply) => void;
  readonly reject: (error: CitadelError) => void;
}

class TaskThread {
  #worker: Worker | undefined;
  #waiting: Waiting | undefined;
  #idle: NodeJS.Timeout | undefined;

  async run<K extends AnalysisTask['kind']>(
    task: AnalysisTask & { readonly kind: K },
    signal: AbortSignal,
  ): Promise<AnalysisResults[K]> {
    clearTimeout(this.#idle);
    const worker = this.#worker ?? this.#start();
    const ending = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
    const stop = () => this.#fail(worker, endedEarly(signal));
    ending.addEventListener('abort', stop, { once: true });
    try {
      const reply = await new Promise<AnalysisReply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        // A thread has no origin.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        worker.postMessage(task);
        if (ending.aborted) stop();
      });
      if ('error' in reply) throw new CitadelError(reply.error.code, reply.error.message);
      // The thread answers each kind of task by its kind of result.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return reply.result as AnalysisResults[K];
    } finally {
      ending.removeEventListener('abort', stop);
      this.#waiting = undefined;
      this.#idle = setTimeout(() => this.#end(worker), idle).unref();
    }
  }

  #start(): Worker {
    const worker = new Worker(entry, {
      resourceLimits: { maxOldGenerationSizeMb: heap },
      env: {},
      stdout: true,
      stderr: true,
    });
    worker.on('message', (reply: AnalysisReply) => this.#waiting?.resolve(reply));
    worker.on('error', (cause) =>
      this.#fail(
        worker,
        new CitadelError('ResourceExhausted', 'these policies are too much to work it out', { cause }),
      ),
    );
    worker.on('exit', () =>
      this.#fail(worker, new CitadelError('Internal', 'the thread ended without a result')),
    );
    // A server that stops waits for no thread.
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  /** Ends a thread; whoever waits for it is told, and a later one's task is another thread's. */
  #fail(worker: Worker, error: CitadelError): void {
    if (this.#worker !== worker) return;
    this.#end(worker);
    this.#waiting?.reject(error);
  }

  #end(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    void worker.terminate();
  }
}

function endedEarly(signal: AbortSignal): CitadelError {
  return signal.aborted
    ? new CitadelError('Cancelled', 'nobody waits for the answer any more')
    : new CitadelError(
        'DeadlineExceeded',
        'working this out takes too long; the command line has no such deadline',
      );
}
