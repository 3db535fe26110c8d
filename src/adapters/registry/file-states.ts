import { setImmediate as turn } from 'node:timers/promises';
import {
  keepLastGood,
  type MeshObject,
  type MeshObjects,
  type ObjectProblem,
  type ReadObject,
  readMeshDocument,
} from '../../domain/mesh/index.ts';
import { compareText } from '../../kernel/index.ts';
import { yamlDocuments } from '../../yaml/index.ts';

/** What is believed of one file. */
export interface FileState {
  /** What its objects were read from; null where that is not known: after a restart, or while it cannot be read. */
  readonly text: string | null;
  readonly objects: MeshObjects;
  readonly problems: readonly ObjectProblem[];
}

export type FileStates = ReadonlyMap<string, FileState>;

/** Milliseconds of reading after which others have their turn. */
const longestTurn = 20;

export interface FileChanges {
  /** The text of each file that is another than before; undefined where the file is gone. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  /** Files that cannot be read, and why: all that they held stays. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** The states after some files changed, by name. What did not change stays the same object. */
export async function nextStates(
  before: FileStates,
  { texts, unreadable }: FileChanges,
): Promise<FileStates> {
  const elsewhere = objectsOf(before);
  const next = new Map(before);
  const turns = new Turns();
  for (const [name, text] of texts) {
    if (text === undefined) {
      next.delete(name);
      continue;
    }
    const read: ReadObject[] = [];
    for (const document of yamlDocuments(text)) {
      const object = readMeshDocument(document, name);
      if (object) read.push(object);
      await turns.give();
    }
    next.set(name, { text, ...keepLastGood(read, before.get(name)?.objects ?? new Map(), elsewhere) });
  }
  for (const [name, why] of unreadable) {
    const reason = `${name}: ${why}`;
    const known = before.get(name);
    const objects = known?.objects ?? new Map<string, MeshObject>();
    if (known?.text === null && known.problems[0]?.reason === reason) continue;
    next.set(name, { text: null, objects, problems: [{ reason, kept: objects.size > 0 }] });
  }
  return new Map([...next].toSorted(([a], [b]) => compareText(a, b)));
}

/** Lets others have their turn once in a while. */
class Turns {
  #began = performance.now();

  async give(): Promise<void> {
    if (performance.now() - this.#began < longestTurn) return;
    await turn();
    this.#began = performance.now();
  }
}

/** All objects: of those that two files name, that of the first by name. */
export function objectsOf(files: FileStates): MeshObjects {
  const objects = new Map<string, MeshObject>();
  for (const [key, object] of [...files.values()].flatMap((file) => [...file.objects]))
    if (!objects.has(key)) objects.set(key, object);
  return objects;
}
