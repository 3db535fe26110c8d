import { parentPort } from 'node:worker_threads';
import { compareWorlds, replay, whatReaches, whoReaches } from '../../domain/policy/index.ts';
import { readRecordLines } from '../../domain/records/index.ts';
import { toCitadelError } from '../../kernel/index.ts';
import type { AnalysisReply, AnalysisResults, AnalysisTask } from './task.ts';

// What started this thread, from this very folder, sends nothing else.
parentPort?.on('message', (task: AnalysisTask) => void answer(task));

async function answer(task: AnalysisTask): Promise<void> {
  const reply = await replyTo(task);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(reply);
}

async function replyTo(task: AnalysisTask): Promise<AnalysisReply> {
  try {
    return { result: await resultOf(task) };
  } catch (thrown) {
    const { code, message } = toCitadelError(thrown);
    return { error: { code, message } };
  }
}

async function resultOf(task: AnalysisTask): Promise<AnalysisResults[AnalysisTask['kind']]> {
  switch (task.kind) {
    case 'compare':
      return compareWorlds(task.before, task.after);
    case 'who':
      return whoReaches(task.world, task.to);
    case 'what':
      return whatReaches(task.world, task.from);
    case 'replay': {
      const reading = { workloads: task.before.workloads.values(), since: undefined };
      const { records } = await readRecordLines(linesOf(task.records), reading);
      return replay(records, task.before, task.after);
    }
  }
}

// What is read is read from anything that comes in parts.
// oxlint-disable-next-line typescript/require-await
async function* linesOf(texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) yield* text.split('\n');
}
