import { type Clock, type Entropy, Limiter, type Log } from '../../kernel/index.ts';
import type { JwksSource, KeySetArchive, Metrics } from '../ports/index.ts';
import { FollowedKeySet, type KeySetState } from './followed.ts';
import type { WantedKeySet } from './location.ts';

export interface KeySetsOptions {
  readonly source: JwksSource;
  readonly archive: KeySetArchive;
  /** Milliseconds after which keys are read again. */
  readonly refresh: number;
  readonly metrics: Pick<Metrics, 'keySetFetched' | 'keySets'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** The keys of issuers, fetched for the proxies, which ask no provider themselves. */
export interface KeySets {
  /** `changed` is called whenever other keys hold, or something is not pending any more. */
  start(changed: () => void): void;
  /** Follows these from now on, and no others. */
  follow(wanted: ReadonlyMap<string, WantedKeySet>): void;
  /** By id, of those that have keys, however old. */
  content(): ReadonlyMap<string, string>;
  /** Whether it is still to be seen if there are keys: neither fetched, nor remembered, nor failed yet. */
  isPending(id: string): boolean;
  /** Resolves when nothing of what is followed is pending any more. */
  settled(): Promise<void>;
  states(): readonly KeySetState[];
  close(): Promise<void>;
}

/** Authors decide how many there are; more than this, beside each other, are nobody's need. */
const mostFollowed = 1_000;
const atOnce = 8;

export function createKeySets(options: KeySetsOptions): KeySets {
  const { metrics } = options;
  const followed = new Map<string, FollowedKeySet>();
  const turnedAway = new Map<string, WantedKeySet>();
  const ending = new Set<Promise<void>>();
  const limiter = new Limiter(atOnce, mostFollowed, 'too many key sets are fetched at once');
  let notify = () => {};

  const changed = (keys: boolean) => {
    const states = [...followed.values()].map(({ state }) => state);
    metrics.keySets({
      current: states.filter(({ fetchedAt, problem }) => fetchedAt && problem === undefined).length,
      stale: states.filter(({ fetchedAt, problem }) => fetchedAt && problem !== undefined).length,
      missing: states.filter(({ fetchedAt }) => !fetchedAt).length + turnedAway.size,
      oldest: states.flatMap(({ fetchedAt }) => fetchedAt ?? []).toSorted((a, b) => +a - +b)[0],
    });
    if (keys) notify();
  };

  return {
    start(given) {
      notify = given;
    },
    follow(wanted) {
      for (const [id, each] of followed) {
        if (wanted.has(id)) continue;
        followed.delete(id);
        const ended = each.stop().finally(() => ending.delete(ended));
        ending.add(ended);
      }
      turnedAway.clear();
      for (const [id, want] of wanted) {
        const known = followed.get(id);
        if (known) known.timeout = want.timeout;
        // Those that are followed already stay: an author with too many must not displace others' keys.
        else if (followed.size >= mostFollowed) turnedAway.set(id, want);
        else followed.set(id, new FollowedKeySet(want, { ...options, limiter, changed }));
      }
      changed(false);
    },
    content: () =>
      new Map([...followed].flatMap(([id, { jwks }]) => (jwks === undefined ? [] : [[id, jwks] as const]))),
    isPending: (id) => followed.get(id)?.pending ?? false,
    async settled() {
      await Promise.all([...followed.values()].map((each) => each.settled));
    },
    states: () => [
      ...[...followed.values()].map(({ state }) => state),
      ...[...turnedAway.values()].map(({ location }) => ({
        location,
        fetchedAt: undefined,
        problem: `more than ${mostFollowed} key sets are named by policies`,
      })),
    ],
    async close() {
      await Promise.all([...ending, ...[...followed.values()].map((each) => each.stop())]);
    },
  };
}
