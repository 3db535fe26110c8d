import { isDeepStrictEqual } from 'node:util';
import type { KeptContent } from '../../../domain/mesh/index.ts';
import type { Archived, RejectedObject } from '../../../domain/ports/index.ts';
import { CitadelError, type Clock, isCitadelError, type Log } from '../../../kernel/index.ts';
import { follow, text, type WatchContext } from '../api/index.ts';
import { type KeptObject, readKept } from './kept.ts';

/** What is made of one object. Neither value nor problem: it is none that counts. */
export interface Reading<T> {
  readonly value?: T | undefined;
  /** Why there is no value, or what about it is not as it should be. */
  readonly problems: readonly string[];
}

export interface InformerOptions<T> {
  /** As the operator knows it: `pods`. */
  readonly what: string;
  /** Where the collection lies; the first one that is served counts. */
  readonly paths: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  /** A kind that the cluster may lack: there are no objects then. */
  readonly optional?: boolean;
  /** Of an object, all that is needed to read it: that is what `read` is given, and what is kept of its last good form. */
  readonly slim?: (object: unknown) => unknown;
  /** Must not throw, and must leave what is not needed: what it gives is held for every object. */
  readonly read: (object: unknown) => Reading<T>;
  /** Over a restart. Absent: nothing is. */
  readonly kept?: KeptContent;
  readonly changed: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry<T> extends Reading<T> {
  readonly uid: string;
  readonly version: string;
  /** What the value was read from, where it is kept over a restart. */
  readonly slim: unknown;
}

interface Read<T> extends Entry<T> {
  readonly key: string;
}

/**
 * Holds one collection of a cluster as it is now. A broken object keeps its last good form: a policy must not vanish
 * because of a slip in its next version. While the API server is away all stays as it was, over a restart too; what was
 * deleted meanwhile goes with its first answer.
 */
export class Informer<T> {
  readonly #options: InformerOptions<T>;
  #entries = new Map<string, Entry<T>>();
  #synced = false;
  #heardAt: Date | undefined;
  #trouble: CitadelError | undefined;
  /** Answers in a row that there is no such collection. */
  #misses = 0;
  #answer = () => {};
  /** Resolves with the first answer of the server, good or bad. */
  readonly answered: Promise<void>;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.answered = new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** By `<namespace>/<name>`; undefined until the collection was known whole. */
  get values(): ReadonlyMap<string, T> | undefined {
    if (!this.#synced) return undefined;
    const values = new Map<string, T>();
    for (const [key, { value }] of this.#entries) if (value !== undefined) values.set(key, value);
    return values;
  }

  /** When the server was last heard of: at a change, a bookmark, a list, the beginning of a watch. */
  get heardAt(): Date | undefined {
    return this.#synced ? this.#heardAt : undefined;
  }

  get problem(): string | undefined {
    const { message, details } = this.#trouble ?? {};
    return message === undefined ? undefined : `${this.#options.what}: ${details ?? message}`;
  }

  get rejected(): readonly RejectedObject[] {
    return [...this.#entries].flatMap(([key, { value, problems }]) =>
      problems.map((reason) => ({
        object: `${this.#options.what} ${key}`,
        reason,
        kept: value !== undefined,
      })),
    );
  }

  /** What a restart would not find; undefined where it would find all. */
  get keptProblem(): string | undefined {
    return this.#options.kept?.problem;
  }

  /** Follows the collection until the signal is aborted. Never rejects. */
  async run(context: WatchContext, signal: AbortSignal): Promise<void> {
    const { paths, query = {}, kept } = this.#options;
    await this.#restore();
    const at = () => paths[this.#misses % paths.length] ?? '';
    await follow(
      {
        get path() {
          return at();
        },
        query,
        read: (object: unknown) => this.#read(object),
        onList: (objects: readonly Read<T>[]) => this.#replace(objects),
        onChange: (object: Read<T>) => this.#put(this.#entries, object) && this.#changed(),
        onDelete: ({ key }: Read<T>) => this.#entries.delete(key) && this.#changed(),
        onCurrent: () => this.#current(),
        onTrouble: (error: CitadelError) => this.#troubled(error),
      },
      context,
      signal,
    );
    this.#answer();
    await kept?.close(this.heardAt && this.#archived(this.heardAt));
  }

  async #restore(): Promise<void> {
    const { kept, read, what, changed } = this.#options;
    const found = await kept?.restore(readKept);
    if (!found) return;
    for (const { key, uid, slim } of found.value)
      this.#entries.set(key, { uid, version: '', slim, ...read(slim) });
    this.#synced = true;
    this.#heardAt = found.at;
    this.#trouble = new CitadelError('Unavailable', `${what} have not been read since the start`);
    changed();
  }

  #archived(at: Date): Archived {
    // Also what an earlier version of the program could read and this one cannot.
    const content = [...this.#entries].flatMap(([key, { uid, slim }]): KeptObject[] =>
      slim === undefined ? [] : [{ key, uid, slim }],
    );
    return { content, at };
  }

  #changed(): void {
    const { kept, changed, clock } = this.#options;
    kept?.keep(() => this.#archived(this.#heardAt ?? clock.now()));
    changed();
  }

  #read(object: unknown): Read<T> {
    const { slim: slimOf, read, kept } = this.#options;
    const slim = slimOf ? slimOf(object) : object;
    const namespace = text(object, 'metadata', 'namespace');
    const name = text(object, 'metadata', 'name') ?? '';
    return {
      key: namespace === undefined ? name : `${namespace}/${name}`,
      uid: text(object, 'metadata', 'uid') ?? '',
      version: text(object, 'metadata', 'resourceVersion') ?? '',
      slim: kept && slim,
      ...read(slim),
    };
  }

  #replace(objects: readonly Read<T>[]): void {
    const entries = new Map<string, Entry<T>>();
    let changed = !this.#synced;
    for (const object of objects) changed = this.#put(entries, object) || changed;
    changed ||= [...this.#entries.keys()].some((key) => !entries.has(key));
    this.#misses = 0;
    this.#synced = true;
    this.#entries = entries;
    if (changed) this.#changed();
  }

  /** @returns whether that changed anything that counts */
  #put(entries: Map<string, Entry<T>>, { key, uid, version, slim, value, problems }: Read<T>): boolean {
    const before = this.#entries.get(key);
    if (value === undefined && problems.length === 0) return entries.delete(key) || before !== undefined;
    // One that was made anew under the same name has no earlier form.
    const earlier = before?.uid === uid ? before : undefined;
    const good = value ?? earlier?.value;
    // What is as it was stays the same object, so that whatever is made of it need not be made again.
    const same = isDeepStrictEqual(before?.value, good);
    const sameProblems = isDeepStrictEqual(before?.problems ?? [], problems);
    entries.set(key, {
      uid,
      version,
      value: same ? before?.value : good,
      problems,
      slim: value === undefined ? earlier?.slim : slim,
    });
    if (problems.length > 0 && !sameProblems)
      this.#options.log.warn('an object of the cluster is broken', {
        object: `${this.#options.what} ${key}`,
        problems: problems.slice(0, 10),
      });
    return !same || !sameProblems;
  }

  #current(): void {
    this.#heardAt = this.#options.clock.now();
    this.#answer();
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#options.changed();
  }

  #troubled(error: CitadelError): void {
    if (this.#options.optional === true && isCitadelError(error, 'NotFound')) {
      this.#misses += 1;
      // Not heeded at once where there were objects: a policy that was known must not vanish by one odd answer.
      const rounds = this.#entries.size > 0 ? 2 : 1;
      if (this.#misses < this.#options.paths.length * rounds) return;
      if (!this.#synced || this.#entries.size > 0) {
        this.#replace([]);
        this.#options.log.info('the cluster does not serve a kind; it has none', {
          kind: this.#options.what,
        });
      }
      this.#current();
      return;
    }
    const first = this.#trouble === undefined;
    this.#trouble = error;
    this.#answer();
    if (first) this.#options.changed();
  }
}
