import { createRegistryAssembler, KeptContent } from '../../domain/mesh/index.ts';
import type {
  Archive,
  Archived,
  KeptMeshSource,
  MeshContent,
  MeshSourceState,
} from '../../domain/ports/index.ts';
import { CitadelError, type Clock, describeError, type Log, sameMembers } from '../../kernel/index.ts';
import { assemble } from './assemble.ts';
import { type FileStates, nextStates, objectsOf } from './file-states.ts';
import { type RegistryReading, readRegistryFiles } from './files.ts';
import { keptFiles, readKeptFiles } from './kept.ts';
import { type Sighting, settleFiles } from './settle.ts';
import { DirectoryWatchers } from './watchers.ts';

export interface FileSourceOptions {
  readonly directory: string;
  /** What was read is kept there over a restart. */
  readonly archive: Archive;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between looks, where the file system tells of no change; default 5 s. */
  readonly interval?: number;
}

/** The name under which workloads of files are known; a Kubernetes cluster cannot have it. */
export const cluster = 'files';
/** Milliseconds that a changed file must be the same for before it counts. */
const settle = 200;
/** Milliseconds after which a file that is still being written is told of. */
const longWriting = 5_000;
/** Milliseconds that changes are gathered for before they are kept. */
const pause = 1_000;

/** Workloads, services and policies in a directory of YAML files, followed as they change. */
export function createFileSource(options: FileSourceOptions): KeptMeshSource {
  const { directory, archive, clock, log, interval = 5_000 } = options;
  const id = `${cluster} ${directory}`;
  const kept = new KeptContent({ archive, id, pause, clock, log });
  const registry = createRegistryAssembler(cluster);
  let files: FileStates = new Map();
  let unsettled: ReadonlyMap<string, Sighting> = new Map();
  let content: MeshContent | undefined;
  let shadowed: MeshSourceState['shadowed'] = [];
  let currentAt: Date | undefined;
  let problem: string | undefined;
  /** Directories that cannot be read, and why. */
  let closed: readonly string[] = [];
  let lookedAt = false;
  const closing = new AbortController();
  let looking: Promise<void> | undefined;
  let again = false;
  let changed = () => {};
  const watchers = new DirectoryWatchers(() => void lookSoon());
  const archived = (): Archived => ({ content: keptFiles(files), at: currentAt ?? clock.now() });

  function take(next: FileStates): void {
    const told = new Set([...files.values()].flatMap(({ problems }) => problems.map(({ reason }) => reason)));
    files = next;
    const assembled = assemble(files, registry);
    content = assembled.content;
    shadowed = assembled.shadowed;
    const news = [...files.values()]
      .flatMap(({ problems }) => problems)
      .filter(({ reason }) => !told.has(reason));
    for (const { reason } of news.slice(0, 100))
      log.warn('an object of the registry is broken', { problem: reason });
  }

  async function restore(): Promise<void> {
    const found = await kept.restore(readKeptFiles);
    if (!found) return;
    take(found.value);
    currentAt = found.at;
  }

  async function look(): Promise<void> {
    try {
      const read = await readRegistryFiles(directory);
      if (closing.signal.aborted) return;
      if (watchers.set(read.directories)) again = true;
      // A volume that is not mounted, a checkout that is still to come: an empty file says that nothing is meant.
      if (read.files.length + read.closed.length === 0 && objectsOf(files).size > 0)
        throw new CitadelError(
          'FailedPrecondition',
          'holds no file any more; an empty one would take all away',
        );
      const next = await after(read);
      if (closing.signal.aborted) return;
      const wasAway = problem !== undefined;
      problem = undefined;
      currentAt = clock.now();
      const same = sameMembers([...files.values()], [...next.values()]) && content !== undefined;
      if (!same) {
        take(next);
        kept.keep(archived);
      }
      if (!same || wasAway) changed();
    } catch (error) {
      if (closing.signal.aborted) return;
      const reason = describeError(error);
      if (!(error instanceof CitadelError)) watchers.set([]);
      if (problem !== reason) log.warn('the registry’s directory cannot be read', { directory, reason });
      problem = reason;
      changed();
    } finally {
      lookedAt = true;
    }
  }

  async function after({ files: read, closed: shut }: RegistryReading): Promise<FileStates> {
    const isShut = (name: string) => shut.some((below) => name.startsWith(below.name));
    const unreadable = new Map(
      read.flatMap(({ name, problem: why }) => (why === undefined ? [] : [[name, why]])),
    );
    const believed = [...files].filter(([name]) => !unreadable.has(name) && !isShut(name));
    const seen = new Map(read.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text]])));
    const known = new Map(believed.map(([name, { text }]) => [name, text]));
    const decided = settleFiles(known, seen, unsettled, {
      now: clock.now().getTime(),
      // What is there at the start has been there before.
      settle: lookedAt ? settle : 0,
    });
    unsettled = decided.unsettled;
    if (unsettled.size > 0) clock.sleep(settle, closing.signal).then(lookSoon, () => undefined);
    const shutNow = shut.map(({ name, problem: why }) => `${name}: ${why}`);
    for (const each of shutNow.filter((line) => !closed.includes(line)))
      log.warn('a directory of the registry cannot be read; what it held stays', { problem: each });
    closed = shutNow;
    return nextStates(files, {
      texts: new Map(decided.settled.map((name) => [name, seen.get(name)])),
      unreadable,
    });
  }

  /** One look at a time; what changes during it is looked at after it. */
  function lookSoon(): Promise<void> {
    if (closing.signal.aborted) return Promise.resolve();
    if (looking) {
      again = true;
      return looking;
    }
    looking = look().finally(() => {
      looking = undefined;
      if (!again) return;
      again = false;
      void lookSoon();
    });
    return looking;
  }

  async function periodically(): Promise<void> {
    while (!closing.signal.aborted) {
      await clock.sleep(interval, closing.signal).catch(() => undefined);
      await lookSoon();
    }
  }

  return {
    name: cluster,
    kept: [id],
    async start(notify) {
      changed = notify;
      await restore();
      await lookSoon();
      void periodically();
    },
    content: () => content,
    state: (): MeshSourceState => ({
      name: cluster,
      currentAt,
      problem,
      rejected: [...files].flatMap(([name, { problems }]) =>
        problems.map((each) => ({ object: name, ...each })),
      ),
      shadowed,
      warnings: [
        ...closed,
        ...stillWritten(unsettled, clock.now()),
        ...(kept.problem === undefined ? [] : [kept.problem]),
      ],
    }),
    async close() {
      closing.abort();
      watchers.close();
      await looking;
      await kept.close(currentAt && archived());
    },
  };
}

function stillWritten(unsettled: ReadonlyMap<string, Sighting>, now: Date): readonly string[] {
  return [...unsettled].flatMap(([name, { changing }]) =>
    now.getTime() - changing < longWriting
      ? []
      : [`${name}: is being written since ${new Date(changing).toISOString()}; what it said before holds`],
  );
}
