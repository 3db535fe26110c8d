import type { KeySetArchive } from '../../domain/ports/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { createArchive } from '../archive/index.ts';

/** More than a source of keys is read. */
const largest = 1024 * 1024;

/** Keeps key sets. They are public, but whoever can write them chooses whose tokens are believed. */
export function createKeySetArchive(directory: string): KeySetArchive {
  const archive = createArchive({ directory, what: 'key set', largest });
  return {
    async load(id) {
      const kept = await archive.load(id);
      if (kept === undefined) return undefined;
      if (typeof kept.content !== 'string')
        throw new CitadelError('DataLoss', 'the key set that is kept is none');
      return { jwks: kept.content, fetchedAt: kept.at };
    },
    save: (id, { jwks, fetchedAt }) => archive.save(id, { content: jwks, at: fetchedAt }),
    retain: (ids) => archive.retain(ids),
  };
}
