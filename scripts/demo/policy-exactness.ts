import { parseArgs } from 'node:util';
import { nothingLinted, smallLint } from '../../test/exact/lint-runs.ts';
import { largeRound, nothingFound, smallRound } from '../../test/exact/runs.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '600' },
    pairs: { type: 'string' },
  },
});
const seed = Number(values.seed);
const pairs = values.pairs === undefined ? Number.POSITIVE_INFINITY : Number(values.pairs);
const end =
  values.pairs === undefined ? performance.now() + 1000 * Number(values.seconds) : Number.POSITIVE_INFINITY;

/** Requests around one small pair at a place, and aimed at one larger pair at a place. */
const size = { most: 4000, perPlace: 3000 };

let found = nothingFound;
let linted = nothingLinted;
let reported = performance.now();
for (let round = 0; found.pairs < pairs && performance.now() < end; round += 1) {
  const before = found.disagreements;
  found = smallRound(seed + round, size.most, found);
  if (round % 4 === 0) found = largeRound(seed + round, size.perPlace, found);
  if (round % 8 === 0) {
    const known = linted.faults;
    linted = smallLint(seed + round, 300, linted);
    if (linted.faults > known) console.log(linted.told.at(-1));
  }
  if (found.disagreements > before) console.log(found.told.at(-1));
  if (performance.now() - reported < 10_000) continue;
  reported = performance.now();
  console.log(line());
}
console.log(line());
console.log(
  `linted ${linted.worlds} worlds, requests ${linted.requests}, of ${linted.silent} nothing is said, disagreements ${linted.faults}`,
);
console.log(`pairs ${found.pairs}, requests ${found.requests}, disagreements ${found.disagreements}`);
if (found.disagreements + linted.faults > 0 || found.pairs === 0) process.exitCode = 1;

function line(): string {
  const { pairs: done, same, different, undecided, shown, requests, requestsOfSame } = found;
  return (
    `seed ${seed}: ${done} pairs, ${same} the same (${requestsOfSame} requests), ${different} different ` +
    `(${shown} shown by a request as well), ${undecided} undecided; ${requests} requests`
  );
}
