import type { Writable } from 'node:stream';
import type { CheckpointPlace } from '../../domain/ports/index.ts';
import { CitadelError } from '../../kernel/index.ts';

/** One line of JSON for each note, to be collected with the other lines that the process prints. */
export function createCheckpointStream(stream: Writable = process.stdout): CheckpointPlace {
  return {
    name: 'stdout',
    put: (note) =>
      new Promise((done, fail) => {
        stream.write(`${JSON.stringify({ auditCheckpoint: note })}\n`, (error) => {
          if (error)
            fail(new CitadelError('Unavailable', 'standard output takes no checkpoints', { cause: error }));
          else done();
        });
      }),
    close: async () => {},
  };
}
