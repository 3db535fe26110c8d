import { join } from 'node:path';
import type { NetworkNamespace, RunResult } from '../../support/netns/index.ts';

const program = join(import.meta.dirname, '../../../src/cli/main.ts');

/** `citadel capture ...`, as root within. */
export async function captureIn(
  inside: NetworkNamespace['inside'],
  ...args: readonly string[]
): Promise<RunResult> {
  return await inside.run({
    command: process.execPath,
    args: ['--conditions=citadel-source', program, 'capture', ...args],
  });
}
