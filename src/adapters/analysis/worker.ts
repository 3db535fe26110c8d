import { parentPort } from 'node:worker_threads';
import { compareWorlds } from '../../domain/policy/index.ts';
import type { AnalysisTask } from './task.ts';

// What started this thread, from this very folder, sends nothing else.
parentPort?.on('message', ({ before, after, limits }: AnalysisTask) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(compareWorlds(before, after, limits));
});
