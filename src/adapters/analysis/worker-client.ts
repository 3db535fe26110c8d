import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Comparison, PolicyWorld } from '../../domain/policy/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import { CitadelError, Limiter } from '../../kernel/index.ts';
import type { AnalysisTask } from './task.ts';

const entry = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);
/** At once, of all: the same machine issues certificates. */
const running = 1;
const waiting = 8;
const deadline = 30_000;
/** MiB of the thread's heap; what needs more ends the thread and nothing else. */
const heap = 1_024;

/** Each computation in a thread of its own, which ends with it, or at its deadline. */
export function createPolicyAnalysis(): PolicyAnalysis {
  const places = new Limiter(running, waiting, 'too many comparisons are asked for at once; try again');
  return {
    compare: (before, after, { signal, limits = {} }) =>
      places.run(signal, () => runTask({ before: plain(before), after: plain(after), limits }, signal)),
  };
}

/** A world alone: a snapshot has more, which need not be copied into the thread. */
function plain({ settings, workloads, services, policies, strict }: PolicyWorld): PolicyWorld {
  return { settings, workloads, services, policies, strict };
}

async function runTask(task: AnalysisTask, signal: AbortSignal): Promise<Comparison> {
  const worker = new Worker(entry, {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: heap },
    env: {},
    stdout: true,
    stderr: true,
  });
  const ending = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
  let stop = () => {};
  try {
    return await new Promise<Comparison>((resolve, reject) => {
      stop = () =>
        reject(
          signal.aborted
            ? new CitadelError('Cancelled', 'nobody waits for the comparison any more')
            : new CitadelError('DeadlineExceeded', 'comparing these policies takes too long'),
        );
      ending.addEventListener('abort', stop, { once: true });
      if (ending.aborted) stop();
      worker.once('message', resolve);
      worker.once('error', (cause) =>
        reject(new CitadelError('ResourceExhausted', 'these policies are too much to compare', { cause })),
      );
      worker.once('exit', () =>
        reject(new CitadelError('Internal', 'the comparison ended without a result')),
      );
    });
  } finally {
    ending.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
