import { hash } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';

/** The hash tree over the entries: RFC 9162, section 2.1, with SHA-256. Entry `sequence` is leaf `sequence - 1`. */

export const hashBytes = 32;
const leafPrefix = Buffer.from([0]);
const nodePrefix = 1;

/** Section 2.1.1: of no entries at all. */
const emptyRoot: Uint8Array = hash('sha256', '', 'buffer');

export function leafHash(entry: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([leafPrefix, entry]), 'buffer');
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 2 * hashBytes);
  bytes[0] = nodePrefix;
  bytes.set(left, 1);
  bytes.set(right, 1 + hashBytes);
  return hash('sha256', bytes, 'buffer');
}

/**
 * The complete subtrees of a log, largest first: all that is needed to append to it and to know its root.
 * Each leaf completes the subtrees that end with it; their hashes are kept with the leaf's entry, its own first, then that
 * of two entries, of four, and so on. So every node of the tree is kept once, with one entry, and is never changed.
 */
export class Frontier {
  readonly #complete: Uint8Array[];
  #size: number;

  constructor(size = 0, complete: readonly Uint8Array[] = []) {
    this.#size = size;
    this.#complete = [...complete];
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the hashes to be kept with the entry */
  append(leaf: Uint8Array): Buffer {
    const completed = [leaf];
    let node = leaf;
    for (let left = this.#size; left % 2 === 1; left = Math.floor(left / 2)) {
      const sibling = this.#complete.pop();
      if (sibling) node = nodeHash(sibling, node);
      completed.push(node);
    }
    this.#complete.push(node);
    this.#size += 1;
    return Buffer.concat(completed);
  }

  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const node of this.#complete.toReversed()) root = root ? nodeHash(node, root) : node;
    return root ?? emptyRoot;
  }
}

/** Gives the hashes that are kept with the entry of a leaf. */
export type KeptHashes = (leaf: number) => Uint8Array;

/** The frontier of the first `size` entries. */
export function frontierAt(size: number, kept: KeptHashes): Frontier {
  const complete: Uint8Array[] = [];
  for (let begin = 0; begin < size; ) {
    const width = largestPower(size - begin);
    complete.push(rangeHash(begin, begin + width, kept));
    begin += width;
  }
  return new Frontier(size, complete);
}

/** Section 2.1.3.1: from the leaf's sibling up to the root's child. */
export function inclusionPath(leaf: number, size: number, kept: KeptHashes): Uint8Array[] {
  const path: Uint8Array[] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + splitOf(end - begin);
    if (leaf < middle) {
      path.push(rangeHash(middle, end, kept));
      end = middle;
    } else {
      path.push(rangeHash(begin, middle, kept));
      begin = middle;
    }
  }
  return path.toReversed();
}

/** Section 2.1.3.2: the root that the path leads to; undefined when it has not the length that it must have. */
export function rootByInclusion(
  leaf: number,
  size: number,
  own: Uint8Array,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  if (leaf < 0 || leaf >= size) return undefined;
  let [node, last, root] = [leaf, size - 1, own];
  for (const sibling of path) {
    if (last === 0 || sibling.length !== hashBytes) return undefined;
    if (node % 2 === 1 || node === last) {
      root = nodeHash(sibling, root);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      root = nodeHash(root, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? root : undefined;
}

/** The hash over the leaves from `begin` to before `end`, as they stand under one node of some tree. */
function rangeHash(begin: number, end: number, kept: KeptHashes): Uint8Array {
  const width = end - begin;
  if (width === largestPower(width)) {
    const offset = Math.round(Math.log2(width)) * hashBytes;
    const hashed = kept(end - 1).subarray(offset, offset + hashBytes);
    if (hashed.length === hashBytes) return hashed;
    throw new CitadelError('DataLoss', 'the audit record lacks entries or their hashes: restore the store', {
      details: `entry ${end}; citadel log verify says more`,
    });
  }
  const middle = begin + splitOf(width);
  return nodeHash(rangeHash(begin, middle, kept), rangeHash(middle, end, kept));
}

/** The largest power of two that is smaller than `width`. */
function splitOf(width: number): number {
  return largestPower(width - 1);
}

function largestPower(atMost: number): number {
  let power = 1;
  while (power * 2 <= atMost) power *= 2;
  return power;
}
