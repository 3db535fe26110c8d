import { Random } from '../../../test/oracle/generate/random.ts';

/** Where the server may be killed: while it waits, or as soon as its log says that it carries out an order. */
export const killPoints = [
  'rotation.start',
  'waiting in distribute',
  'rotation.drain',
  'waiting in drain',
  'rotation.retire',
] as const;

export type KillPoint = (typeof killPoints)[number];

/** @returns so many of them, the same for the same seed; the first is in the midst of an order */
export function drawKillPoints(seed: number, count: number): ReadonlySet<KillPoint> {
  const random = new Random(seed);
  const drawn = new Set<KillPoint>();
  while (drawn.size < Math.min(count, killPoints.length))
    drawn.add(
      random.pick(
        killPoints.filter((point) => !drawn.has(point) && (drawn.size > 0 || point.startsWith('rotation.'))),
      ),
    );
  return drawn;
}
