import { type Clock, describeError, type Entropy, type Log } from '../../kernel/index.ts';
import type { JwksSource, KeySetArchive, Metrics } from '../ports/index.ts';
import { FollowedKeySet, type KeySetState } from './followed.ts';
import type { WantedKeySet } from './location.ts';
import { shareOut } from './share.ts';
import { Turns } from './turns.ts';

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
const ofOneProvider = 4;

export function createKeySets(options: KeySetsOptions): KeySets {
  const { archive, metrics, log } = options;
  const followed = new Map<string, FollowedKeySet>();
  const turnedAway = new Map<string, WantedKeySet>();
  const ending = new Set<Promise<void>>();
  const turns = new Turns({ atOnce, ofOneProvider, waiting: mostFollowed });
  let notify = () => {};
  let first = true;

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

  /** What nobody names any more is not remembered either: by ever other addresses an author could fill the disk. */
  const forgetOthers = async () => {
    try {
      await archive.retain(new Set(followed.keys()));
    } catch (error) {
      log.warn('keys that are not wanted any more could not be removed', { reason: describeError(error) });
    }
  };

  return {
    start(given) {
      notify = given;
    },
    follow(wanted) {
      const chosen = shareOut(wanted, mostFollowed);
      const gone = [...followed].filter(([id]) => !chosen.has(id));
      for (const [id] of gone) followed.delete(id);
      turnedAway.clear();
      for (const [id, want] of wanted) {
        const known = followed.get(id);
        if (known) known.timeout = want.timeout;
        else if (chosen.has(id)) followed.set(id, new FollowedKeySet(want, { ...options, turns, changed }));
        else turnedAway.set(id, want);
      }
      if (gone.length > 0 || first) {
        const ended = Promise.all(gone.map(([, each]) => each.stop()))
          .then(forgetOthers)
          .finally(() => ending.delete(ended));
        ending.add(ended);
      }
      first = false;
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
        problem: `more than ${mostFollowed} key sets are named by policies, and this is beyond its namespace’s share`,
      })),
    ],
    async close() {
      await Promise.all([...ending, ...[...followed.values()].map((each) => each.stop())]);
    },
  };
}
