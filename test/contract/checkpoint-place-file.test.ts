import { createCheckpointFile } from '../../src/adapters/checkpoints/index.ts';
import { silentLog } from '../../src/kernel/index.ts';
import { temporaryDirectory } from '../parts/temporary.ts';
import { checkpointPlaceContract } from './checkpoint-place.ts';

checkpointPlaceContract('file', async () => {
  const directory = await temporaryDirectory('checkpoints');
  return {
    open: async () => createCheckpointFile({ path: directory.join('checkpoints'), log: silentLog }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});
