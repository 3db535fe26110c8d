import { parentPort } from 'node:worker_threads';
import { compareWorlds, whoReaches } from '../../domain/policy/index.ts';
import { toCitadelError } from '../../kernel/index.ts';
import type { AnalysisReply, AnalysisTask } from './task.ts';

// What started this thread, from this very folder, sends nothing else.
parentPort?.on('message', (task: AnalysisTask) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(replyTo(task));
});

function replyTo(task: AnalysisTask): AnalysisReply {
  try {
    return {
      result:
        task.kind === 'compare' ? compareWorlds(task.before, task.after) : whoReaches(task.world, task.to),
    };
  } catch (thrown) {
    const { code, message } = toCitadelError(thrown);
    return { error: { code, message } };
  }
}
