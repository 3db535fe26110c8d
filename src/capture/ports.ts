import { CitadelError } from '../kernel/index.ts';

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

const largest = 65_535;
const mostParts = 256;

/**
 * `80,443,8000-8010`, sorted, and merged where they touch: nftables refuses sets whose members overlap.
 * @throws CitadelError OutOfRange
 */
export function parsePorts(text: string): readonly PortRange[] {
  const parts = text.split(',');
  if (parts.length > mostParts) throw wrong(`more than ${mostParts} ports and ranges`);
  const ranges = parts.map((part): PortRange => {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? [];
    const range = { from: Number(first), to: Number(last) };
    if (first === undefined || range.from < 1 || range.to > largest || range.from > range.to)
      throw wrong(`${JSON.stringify(part)} is neither a port nor a range of ports`);
    return range;
  });
  return merge(ranges);
}

/** @throws CitadelError OutOfRange */
export function parsePort(text: string): number {
  const [range, ...others] = parsePorts(text);
  if (range === undefined || others.length > 0 || range.from !== range.to)
    throw wrong(`${JSON.stringify(text)} is not a port`);
  return range.from;
}

export function covers(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ from, to }) => from <= port && port <= to);
}

function merge(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && range.from <= last.to + 1)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else merged.push(range);
  }
  return merged;
}

function wrong(what: string): CitadelError {
  return new CitadelError('OutOfRange', `${what}; ports are from 1 to ${largest}, as in 80,443,8000-8010`);
}
