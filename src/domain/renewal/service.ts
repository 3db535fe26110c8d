import type { Clock } from '../../kernel/index.ts';
import type { AuthorityService } from '../authority/index.ts';
import { isWorkloadPrincipal } from '../identity/index.ts';
import type { IssuanceStore, LiveLeaf, Metrics, ReKeyingCounts } from '../ports/index.ts';
import { isBusy, type SigningMeter } from './load.ts';
import { type HeldLeaf, RenewalPlan } from './plan.ts';
import { ReKeyQueue } from './re-key.ts';
import { decideWindow, type RenewalWindow, slotMilliseconds } from './window.ts';

export interface RenewalServiceOptions {
  readonly store: Pick<IssuanceStore, 'liveLeaves'>;
  readonly authority: Pick<AuthorityService, 'isSuperseded' | 'onSuperseded'>;
  readonly meter: Pick<SigningMeter, 'load'>;
  readonly metrics: Pick<Metrics, 'reKeying' | 'renewalsPutOff'>;
  readonly clock: Clock;
}

/** What the holder of a leaf is told over its stream. */
export interface RenewalListener {
  window(window: RenewalWindow): void;
  /** Make a new key and ask for a certificate at once. */
  reKey(): void;
}

/** How far the holders of one authority's leaves are with giving them up. */
export interface ReKeyProgress extends ReKeyingCounts {
  /** Whose present leaf is under it, with a stream to this server or without. */
  readonly holders: number;
  /** When the last of these leaves ends. */
  readonly lastNotAfter: Date | undefined;
}

export interface RenewalService {
  /** Learns who holds what, and goes on until it is closed; to be called before the first leaf is issued. */
  start(): Promise<void>;
  /** Each leaf of a workload that was issued. */
  issued(leaf: HeldLeaf): void;
  /** Gives the holder of a leaf its window, at once and whenever it is moved, and the order for a new key. @returns stops it */
  watch(leaf: HeldLeaf, listener: RenewalListener): () => void;
  progress(issuer: string): ReKeyProgress;
  close(): Promise<void>;
}

/** How often it is looked who is about to come to a busy server. */
const lookMilliseconds = 1000;
/** Told anew in one look: a busy server is not made busier by telling all at once. */
const mostMovedALook = 500;
/** Before a rate is measured: slower than any server was seen. It decides when agents come that no order reaches. */
const assumedReKeysPerSecond = 50;
const leastReKeyTime = 60_000;

/** Chooses when each workload's certificate is renewed, and who is told to make a new key when. */
export function createRenewalService(options: RenewalServiceOptions): RenewalService {
  const { store, authority, meter, metrics, clock } = options;
  const plan = new RenewalPlan();
  const watched = new Map<HeldLeaf, { listener: RenewalListener; window: RenewalWindow }>();
  const busy = () => isBusy(meter.load());
  const queue = new ReKeyQueue({
    isSuperseded: (issuer) => authority.isSuperseded(issuer),
    isBusy: busy,
    onProgress: (counts) => metrics.reKeying(counts),
    clock,
  });

  function choose(leaf: HeldLeaf): RenewalWindow {
    const now = clock.now();
    return decideWindow(leaf, {
      now,
      expected: (from, to) => plan.expected(from, to, leaf),
      evenRate: plan.evenRate,
      busy: busy(),
      ...(authority.isSuperseded(leaf.issuer) ? { reKeyedBy: reKeyedBy(leaf.issuer, now) } : {}),
    });
  }

  function reKeyedBy(issuer: string, now: Date): Date {
    const time = (plan.heldUnder(issuer) / assumedReKeysPerSecond) * 1000;
    return new Date(now.getTime() + Math.max(leastReKeyTime, time));
  }

  function tell(leaf: HeldLeaf, listener: RenewalListener, window: RenewalWindow): void {
    watched.set(leaf, { listener, window });
    plan.place(leaf, window);
    listener.window(window);
  }

  function tellSuperseded(): void {
    for (const [leaf, { listener }] of watched)
      if (authority.isSuperseded(leaf.issuer)) tell(leaf, listener, choose(leaf));
    queue.look();
  }
  const stop = authority.onSuperseded(tellSuperseded);

  /** Who is about to come to a busy server, and can wait, is asked to come later. */
  function putOff(): void {
    const soon = clock.now().getTime() + slotMilliseconds;
    let moved = 0;
    for (const [leaf, { listener, window }] of watched) {
      if (moved >= mostMovedALook) break;
      if (window.start.getTime() > soon || authority.isSuperseded(leaf.issuer)) continue;
      const chosen = choose(leaf);
      if (chosen.start.getTime() <= soon) continue;
      tell(leaf, listener, chosen);
      moved += 1;
    }
    if (moved > 0) metrics.renewalsPutOff(moved);
  }

  const over = new AbortController();
  let running: Promise<void> | undefined;
  async function keepLooking(): Promise<void> {
    while (!over.signal.aborted) {
      await clock.sleep(lookMilliseconds, over.signal).catch(() => undefined);
      plan.prune(clock.now());
      if (busy()) putOff();
    }
  }

  return {
    async start() {
      // Oldest first, so that what its holder has now comes last.
      for (const leaf of (await store.liveLeaves(clock.now())).toReversed())
        if (isWorkloadPrincipal(leaf.principal)) plan.hold(heldLeaf(leaf));
      running = keepLooking();
    },
    issued(leaf) {
      plan.hold(leaf);
      queue.issued(leaf);
    },
    watch(leaf, listener) {
      plan.hold(leaf);
      tell(leaf, listener, plan.told(leaf) ?? choose(leaf));
      const forget = queue.watch(leaf, () => listener.reKey());
      return () => {
        watched.delete(leaf);
        forget();
      };
    },
    progress: (issuer) => ({
      ...queue.counts(issuer),
      holders: plan.heldUnder(issuer),
      lastNotAfter: plan.lastUnder(issuer),
    }),
    async close() {
      over.abort();
      stop();
      queue.close();
      await running;
    },
  };
}

/** A leaf as the inventory has it. */
export function heldLeaf({
  serial,
  proxyKey,
  issuer,
  recordedAt,
  notAfter,
}: Omit<LiveLeaf, 'reported'>): HeldLeaf {
  return { serial, proxyKey, issuer, issuedAt: recordedAt, notAfter };
}
