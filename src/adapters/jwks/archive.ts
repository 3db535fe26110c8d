import { hash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeySetArchive } from '../../domain/ports/index.ts';
import { CitadelError } from '../../kernel/index.ts';

/**
 * Keeps key sets as files, one each, replaced by a rename. They are public, but whoever can write them chooses whose
 * tokens are believed: the directory is ours alone.
 */
export function createKeySetArchive(directory: string): KeySetArchive {
  // Authors choose ids: none of it may become part of a path.
  const nameOf = (id: string) => `${hash('sha256', id, 'hex')}.json`;
  const fileOf = (id: string) => join(directory, nameOf(id));
  return {
    async load(id) {
      const text = await readFile(fileOf(id), 'utf8').catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (text === undefined) return undefined;
      const kept: unknown = JSON.parse(text);
      if (
        typeof kept !== 'object' ||
        kept === null ||
        !('id' in kept && kept.id === id) ||
        !('jwks' in kept && typeof kept.jwks === 'string') ||
        !(
          'fetchedAt' in kept &&
          typeof kept.fetchedAt === 'string' &&
          !Number.isNaN(Date.parse(kept.fetchedAt))
        )
      )
        throw new CitadelError('DataLoss', 'the file of a key set is damaged', { details: fileOf(id) });
      return { jwks: kept.jwks, fetchedAt: new Date(kept.fetchedAt) };
    },
    async save(id, { jwks, fetchedAt }) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = fileOf(id);
      await writeFile(`${file}.new`, JSON.stringify({ id, jwks, fetchedAt }), { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
    async retain(ids) {
      const kept = new Set([...ids].map(nameOf));
      const names = await readdir(directory).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      for (const name of names)
        if (ownName.test(name) && !kept.has(name.replace(/\.new$/, '')))
          await rm(join(directory, name), { force: true });
    },
  };
}

const ownName = /^[0-9a-f]{64}\.json(?:\.new)?$/;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
