import { parentPort, workerData } from 'node:worker_threads';
import { compareWorlds } from '../../domain/policy/index.ts';
import type { AnalysisTask } from './task.ts';

// What started this thread, from this very folder, gives nothing else.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const { before, after, limits } = workerData as AnalysisTask;
parentPort?.postMessage(compareWorlds(before, after, limits));
