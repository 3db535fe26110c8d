import { type IpAddress, parseIp, rangeOf } from '../../decide/index.ts';
import type { Budget } from '../budget.ts';
import type { Attribute } from '../model.ts';
import type { Cell, EagerSpace, Natural } from './space.ts';

/** On one line: IPv4 first, IPv6 behind it. */
const sixth = 1n << 40n;

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

const wholeLine: readonly Range[] = [
  { first: 0n, last: (1n << 32n) - 1n },
  { first: sixth, last: sixth + (1n << 128n) - 1n },
];

/** An IP address, of either version: where the blocks that are asked about begin and end cuts all of them into ranges. */
export class AddressSpace implements EagerSpace {
  readonly kind = 'eager';
  readonly attribute: Attribute;
  readonly #budget: Budget;
  readonly #ranges = new Map<number, readonly Range[]>();
  readonly #examples: () => readonly string[];

  constructor(attribute: Attribute, budget: Budget, examples: () => readonly string[]) {
    this.attribute = attribute;
    this.#budget = budget;
    this.#examples = examples;
  }

  add(literal: number, blocks: readonly string[]): void {
    const ranges = blocks.flatMap((block) => {
      const range = rangeOf(block);
      return range === undefined ? [] : [onLine(range.bits, range.first, range.last)];
    });
    this.#ranges.set(literal, merged(ranges));
  }

  cells(literals: readonly number[], given: Cell | undefined): readonly Cell[] {
    const considered = [...new Set([...literals, ...(given?.considered ?? [])])];
    // Where each literal begins and ends to hold, in the order of the line.
    const turns = considered
      .flatMap((literal) =>
        (this.#ranges.get(literal) ?? []).flatMap(({ first, last }) => [
          { at: first, literal, holds: true },
          { at: last + 1n, literal, holds: false },
        ]),
      )
      .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    const found = new Map<string, Cell>();
    const truths = new Set<number>();
    let next = 0;
    for (const { first, last } of wholeLine) {
      let at = first;
      while (at <= last) {
        for (let turn = turns[next]; turn !== undefined && turn.at <= at; turn = turns[next]) {
          if (turn.holds) truths.add(turn.literal);
          else truths.delete(turn.literal);
          next += 1;
        }
        this.#budget.spend(1 + truths.size);
        const key = [...truths].toSorted((a, b) => a - b).join(' ');
        if (!found.has(key) && fits(truths, given))
          found.set(key, {
            truths: new Set(truths),
            considered,
            sample: { kind: 'text', text: formatIp(at) },
          });
        const turn = turns[next];
        at = turn === undefined || turn.at > last ? last + 1n : turn.at;
      }
    }
    return [...found.values()];
  }

  better(cell: Cell): Natural | undefined {
    const text = this.#examples().find((each) => {
      const address = parseIp(each);
      const at = address && placeOf(address);
      return (
        at !== undefined &&
        cell.considered.every(
          (literal) =>
            cell.truths.has(literal) ===
            (this.#ranges.get(literal) ?? []).some(({ first, last }) => at >= first && at <= last),
        )
      );
    });
    return text === undefined ? undefined : { sample: { kind: 'text', text }, rank: 0 };
  }
}

function fits(truths: ReadonlySet<number>, given: Cell | undefined): boolean {
  return given === undefined || given.considered.every((each) => truths.has(each) === given.truths.has(each));
}

function placeOf({ bits, value }: IpAddress): bigint {
  return bits === 32 ? value : sixth + value;
}

function onLine(bits: 32 | 128, first: bigint, last: bigint): Range {
  return { first: placeOf({ bits, value: first }), last: placeOf({ bits, value: last }) };
}

/** Ranges that touch are one, so that none ends where the next begins. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const before = result.at(-1);
    if (before && range.first <= before.last + 1n)
      result[result.length - 1] = {
        first: before.first,
        last: before.last > range.last ? before.last : range.last,
      };
    else result.push(range);
  }
  return result;
}

function formatIp(at: bigint): string {
  if (at < sixth) return [24n, 16n, 8n, 0n].map((shift) => (at >> shift) & 0xffn).join('.');
  const value = at - sixth;
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  const zeros = [8, 7, 6, 5, 4, 3, 2]
    .flatMap((length) => groups.map((_, from) => ({ from, length })))
    .find(
      ({ from, length }) =>
        from + length <= 8 && groups.slice(from, from + length).every((group) => group === '0'),
    );
  if (!zeros) return groups.join(':');
  const { from, length } = zeros;
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + length).join(':')}`;
}
