import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  Frontier,
  frontierAt,
  inclusionPath,
  leafHash,
  rootByInclusion,
} from '../../../../src/domain/audit/index.ts';

/** RFC 9162, section 2.1.1, word by word and without a thought of speed. */
function rootOf(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return hash('sha256', '', 'buffer');
  if (leaves.length === 1) return hash('sha256', Buffer.concat([Buffer.of(0), first]), 'buffer');
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const halves = [rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split))];
  return hash('sha256', Buffer.concat([Buffer.of(1), ...halves]), 'buffer');
}

/** Section 2.1.3.1. */
function pathOf(leaf: number, leaves: readonly Uint8Array[]): Buffer[] {
  if (leaves.length === 1) return [];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return leaf < split
    ? [...pathOf(leaf, left), rootOf(right)]
    : [...pathOf(leaf - split, right), rootOf(left)];
}

const entries = Array.from({ length: 70 }, (_, index) => Buffer.from(`entry ${index}`));

/** All that is kept with the first `size` entries. */
function grown(size: number) {
  const frontier = new Frontier();
  const kept = entries.slice(0, size).map((entry) => frontier.append(leafHash(entry)));
  return { frontier, kept: (leaf: number) => kept[leaf] ?? new Uint8Array() };
}

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');

describe('the hash tree', () => {
  // Of Certificate Transparency's own test data (RFC 6962): eight leaves, and the roots over the first of them.
  it('gives the roots that Certificate Transparency does', () => {
    const leaves = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ];
    const frontier = new Frontier();
    const roots = leaves.map((leaf) => {
      frontier.append(leafHash(Buffer.from(leaf, 'hex')));
      return hex(frontier.root());
    });
    expect(hex(new Frontier().root())).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(roots[0]).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(roots[7]).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  });

  it('grows by one entry after the other to the root over all, of every size', () => {
    const all = grown(70);
    for (let size = 0; size <= 70; size += 1) {
      const expected = hex(rootOf(entries.slice(0, size)));
      expect(hex(grown(size).frontier.root())).toBe(expected);
      // Also from what is kept with many more entries.
      expect(hex(frontierAt(size, all.kept).root())).toBe(expected);
    }
  });

  it('goes on from a frontier that was read back', () => {
    const all = grown(70);
    for (let size = 0; size < 70; size += 1) {
      const resumed = frontierAt(size, all.kept);
      expect(hex(resumed.append(leafHash(entries[size] ?? Buffer.of())))).toBe(hex(all.kept(size)));
    }
  });

  it('proves each entry in a tree of each size, and nothing else by the same path', () => {
    const { kept } = grown(70);
    for (let size = 1; size <= 40; size += 1) {
      const root = hex(rootOf(entries.slice(0, size)));
      for (let leaf = 0; leaf < size; leaf += 1) {
        const path = inclusionPath(leaf, size, kept);
        expect(path.map(hex)).toEqual(pathOf(leaf, entries.slice(0, size)).map(hex));
        const own = leafHash(entries[leaf] ?? Buffer.of());
        expect(hex(rootByInclusion(leaf, size, own, path))).toBe(root);
        expect(hex(rootByInclusion(leaf, size, leafHash(Buffer.of(7)), path))).not.toBe(root);
        expect(hex(rootByInclusion(leaf, size, own, [...path, own]))).not.toBe(root);
        if (path.length > 0) expect(hex(rootByInclusion(leaf, size, own, path.slice(1)))).not.toBe(root);
        if (size > 1) expect(hex(rootByInclusion((leaf + 1) % size, size, own, path))).not.toBe(root);
      }
    }
    expect(rootByInclusion(3, 3, leafHash(Buffer.of()), [])).toBeUndefined();
  });

  it('tells of a tree whose hashes are not there', () => {
    const { kept } = grown(5);
    expect(() => frontierAt(7, kept)).toThrow('the audit record lacks entries or their hashes');
  });
});
