import { type LeafLife, type RenewalWindow, slotMilliseconds } from './window.ts';

/** The one leaf that a holder has now: a newer one takes its place. */
export interface HeldLeaf extends LeafLife {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Whose it is: see IssuanceIntent. */
  readonly proxyKey: string;
  /** The fingerprint of the authority that issued it. */
  readonly issuer: string;
}

interface Entry {
  readonly leaf: HeldLeaf;
  readonly window: RenewalWindow;
  /** Or only supposed. */
  readonly told: boolean;
}

/**
 * Who holds which leaf, and how many renewals are expected when. In memory, a few hundred bytes a holder: counts by slot of
 * time, so that a window is chosen without a query. A leaf whose holder has been given no window is expected at half life.
 */
export class RenewalPlan {
  readonly #entries = new Map<string, Entry>();
  readonly #slots = new Map<number, number>();
  readonly #byIssuer = new Map<string, number>();
  #evenRate = 0;

  /** Takes in a leaf unless a newer one of its holder is known; the holder's former one counts no more. */
  hold(leaf: HeldLeaf): void {
    const known = this.#entries.get(leaf.proxyKey)?.leaf;
    if (known !== undefined && (known.serial === leaf.serial || known.issuedAt > leaf.issuedAt)) return;
    this.#put({ leaf, window: atHalfLife(leaf), told: false });
  }

  /** Its holder was told this window. Without effect where the holder has a newer leaf: two clients of one pod are one holder. */
  place(leaf: HeldLeaf, window: RenewalWindow): void {
    if (this.#entryOf(leaf)) this.#put({ leaf, window, told: true });
  }

  /** What the holder of this leaf was told; undefined where it was told nothing, or has a newer leaf. */
  told(leaf: HeldLeaf): RenewalWindow | undefined {
    const entry = this.#entryOf(leaf);
    return entry?.told ? entry.window : undefined;
  }

  /** Renewals expected between two moments, without that of `except`. */
  expected(from: number, to: number, except?: HeldLeaf): number {
    let sum = 0;
    for (const [slot, part] of shares(from, to)) sum += (this.#slots.get(slot) ?? 0) * part;
    const own = except && this.#entryOf(except);
    return Math.max(0, own === undefined ? sum : sum - overlap(own.window, from, to));
  }

  /** Renewals a millisecond if all renewed at half life, evenly. */
  get evenRate(): number {
    return Math.max(0, this.#evenRate);
  }

  /** How many hold a leaf of this authority. */
  heldUnder(issuer: string): number {
    return this.#byIssuer.get(issuer) ?? 0;
  }

  /** When the last holder of this authority's leaves must have renewed, or be without; undefined where there is none. */
  lastUnder(issuer: string): Date | undefined {
    let last: Date | undefined;
    for (const { leaf } of this.#entries.values())
      if (leaf.issuer === issuer && (last === undefined || leaf.notAfter > last)) last = leaf.notAfter;
    return last;
  }

  /** Forgets what has ended. */
  prune(now: Date): void {
    for (const { leaf } of this.#entries.values()) if (leaf.notAfter <= now) this.#remove(leaf.proxyKey);
    const past = Math.floor(now.getTime() / slotMilliseconds);
    for (const slot of this.#slots.keys()) if (slot < past) this.#slots.delete(slot);
  }

  #entryOf({ proxyKey, serial }: HeldLeaf): Entry | undefined {
    const entry = this.#entries.get(proxyKey);
    return entry?.leaf.serial === serial ? entry : undefined;
  }

  #put(entry: Entry): void {
    this.#remove(entry.leaf.proxyKey);
    this.#entries.set(entry.leaf.proxyKey, entry);
    this.#count(entry, 1);
  }

  #remove(proxyKey: string): void {
    const entry = this.#entries.get(proxyKey);
    if (entry === undefined) return;
    this.#entries.delete(proxyKey);
    this.#count(entry, -1);
  }

  #count({ leaf, window }: Entry, sign: 1 | -1): void {
    const [start, end] = [window.start.getTime(), window.end.getTime()];
    for (const [slot] of shares(start, end))
      add(this.#slots, slot, sign * overlap(window, slot * slotMilliseconds, (slot + 1) * slotMilliseconds));
    add(this.#byIssuer, leaf.issuer, sign);
    this.#evenRate += (sign * 2) / Math.max(1, leaf.notAfter.getTime() - leaf.issuedAt.getTime());
  }
}

/** Below this it is what floating point left of nothing. */
const nothing = 1e-6;

function add<Key>(counts: Map<Key, number>, key: Key, change: number): void {
  const sum = (counts.get(key) ?? 0) + change;
  if (sum < nothing) counts.delete(key);
  else counts.set(key, sum);
}

/** When clients that hear of no window renew: pilot-agent and ztunnel at half life, with next to no jitter. */
function atHalfLife({ issuedAt, notAfter }: LeafLife): RenewalWindow {
  const life = notAfter.getTime() - issuedAt.getTime();
  const at = (part: number) => new Date(issuedAt.getTime() + life * part);
  return { start: at(0.49), end: at(0.51) };
}

/** The part of a window that lies between two moments: the chance that its leaf is renewed then. */
function overlap({ start, end }: RenewalWindow, from: number, to: number): number {
  const length = end.getTime() - start.getTime();
  if (length <= 0) return start.getTime() >= from && start.getTime() < to ? 1 : 0;
  return Math.max(0, Math.min(end.getTime(), to) - Math.max(start.getTime(), from)) / length;
}

/** The slots between two moments, and which part of each lies between them. */
function* shares(from: number, to: number): Generator<readonly [number, number]> {
  const last = Math.floor(Math.max(from, to - 1) / slotMilliseconds);
  for (let slot = Math.floor(from / slotMilliseconds); slot <= last; slot++) {
    const begins = slot * slotMilliseconds;
    const part = Math.min(to, begins + slotMilliseconds) - Math.max(from, begins);
    yield [slot, part / slotMilliseconds];
  }
}
