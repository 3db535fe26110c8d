import { setImmediate } from 'node:timers/promises';
import {
  createRegistryAssembler,
  keepLastGood,
  type MeshObject,
  type MeshObjects,
  readMeshDocument,
} from '../../domain/mesh/index.ts';
import type { MeshContent, MeshSource, MeshSourceState } from '../../domain/ports/index.ts';
import { type Clock, describeError, type Log } from '../../kernel/index.ts';
import { parseYaml } from '../../yaml/index.ts';
import { type RegistryFile, readRegistryFiles } from './files.ts';
import { DirectoryWatchers } from './watchers.ts';

export interface FileSourceOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between looks, where the file system tells of no change; default 5 s. */
  readonly interval?: number;
}

interface FileState {
  readonly text: string;
  readonly objects: MeshObjects;
  readonly problems: readonly string[];
}

/** The name under which workloads of files are known; a Kubernetes cluster cannot have it. */
const cluster = 'files';

/** Workloads, services and policies in a directory of YAML files, followed as they change. */
export function createFileSource({ directory, clock, log, interval = 5_000 }: FileSourceOptions): MeshSource {
  let files = new Map<string, FileState>();
  const registry = createRegistryAssembler(cluster);
  let content: MeshContent | undefined;
  let currentAt: Date | undefined;
  let problem: string | undefined;
  const closing = new AbortController();
  let looking: Promise<void> | undefined;
  let again = false;
  let changed = () => {};
  const watchers = new DirectoryWatchers(() => void lookSoon());

  async function look(): Promise<void> {
    try {
      const read = await readRegistryFiles(directory);
      if (closing.signal.aborted) return;
      if (watchers.set(read.directories)) again = true;
      const next = new Map<string, FileState>();
      for (const file of read.files) {
        const before = files.get(file.name);
        const state = stateOf(file, before);
        next.set(file.name, state);
        if (state === before) continue;
        // Others are served between two files, however many there are.
        await setImmediate();
        if (closing.signal.aborted) return;
      }
      const same = next.size === files.size && [...next].every(([name, state]) => files.get(name) === state);
      files = next;
      problem = undefined;
      currentAt = clock.now();
      if (same && content) return;
      content = assemble([...files.values()], registry);
      for (const each of [...files.values()].flatMap(({ problems }) => problems).slice(0, 100))
        log.warn('an object of the registry is broken', { problem: each });
      changed();
    } catch (error) {
      const reason = describeError(error);
      watchers.set([]);
      if (problem !== reason) log.warn('the registry’s directory cannot be read', { directory, reason });
      problem = reason;
      changed();
    }
  }

  /** One look at a time; what changes during it is looked at after it. */
  function lookSoon(): Promise<void> {
    if (looking) {
      again = true;
      return looking;
    }
    looking = look().finally(() => {
      looking = undefined;
      if (!again || closing.signal.aborted) return;
      again = false;
      void lookSoon();
    });
    return looking;
  }

  async function periodically(): Promise<void> {
    while (!closing.signal.aborted) {
      await clock.sleep(interval, closing.signal).catch(() => undefined);
      if (closing.signal.aborted) return;
      await lookSoon();
    }
  }

  return {
    name: cluster,
    async start(notify) {
      changed = notify;
      await lookSoon();
      void periodically();
    },
    content: () => content,
    state: (): MeshSourceState => ({
      name: cluster,
      currentAt,
      problem,
      rejected: [...files].flatMap(([name, { problems }]) =>
        problems.map((reason) => ({ object: name, reason })),
      ),
    }),
    async close() {
      closing.abort();
      watchers.close();
      await looking;
    },
  };
}

function stateOf({ name, text, problem }: RegistryFile, before: FileState | undefined): FileState {
  const known: MeshObjects = before?.objects ?? new Map();
  if (text === undefined) return { text: '', objects: known, problems: [`${name}: ${problem ?? ''}`] };
  if (before && before.text === text) return before;
  const documents = parseYaml(text).flatMap((document) => readMeshDocument(document, name) ?? []);
  return { text, ...keepLastGood(documents, known) };
}

function assemble(
  states: readonly FileState[],
  registry: ReturnType<typeof createRegistryAssembler>,
): MeshContent {
  const objects = new Map<string, MeshObject>();
  // Two files that name one object: the first by name counts.
  for (const [key, object] of states.flatMap(({ objects: each }) => [...each]))
    if (!objects.has(key)) objects.set(key, object);
  const all = [...objects.values()];
  return {
    ...registry({
      workloads: all.flatMap((each) => (each.kind === 'Workload' ? [each.value] : [])),
      services: all.flatMap((each) => (each.kind === 'Service' ? [each.value] : [])),
    }),
    policies: all.flatMap((each) => (each.kind === 'Policy' ? [each.value] : [])),
  };
}
