import { parseArgs } from 'node:util';
import {
  compareWorlds,
  lintPolicies,
  type PolicyWorld,
  policyHash,
  type WorldComparison,
} from '../../../src/domain/policy/index.ts';
import { crowdedWorld, pathologicalWorld, type Size, spreadWorld } from './worlds.ts';

const { values } = parseArgs({ options: { short: { type: 'boolean', default: false } } });
const base: Size = { policies: 1000, workloads: 2000, namespaces: 200, patterns: 5 };

interface Row {
  readonly name: string;
  readonly texts: number;
  readonly exact: number;
  readonly mebibytes: number;
  readonly found: WorldComparison;
}

/** Of the texts alone: whether a policy says the same by its name, which a change in order or a split one defeats. */
function compareTexts(before: PolicyWorld, after: PolicyWorld): number {
  const hashes = new Set(before.policies.map((policy) => policyHash(policy)));
  return after.policies.filter((policy) => !hashes.has(policyHash(policy))).length;
}

function timed<T>(act: () => T): readonly [seconds: number, T] {
  const start = process.cpuUsage();
  const made = act();
  const { user, system } = process.cpuUsage(start);
  return [(user + system) / 1e6, made];
}

function measure(name: string, make: (changed: boolean) => PolicyWorld): Row {
  // Objects of their own: what is worked out once for an object must be worked out in each measurement.
  const [first, second] = [make(false), make(true)];
  const [texts] = timed(() => compareTexts(first, second));
  const [before, after] = [make(false), make(true)];
  globalThis.gc?.();
  const empty = process.memoryUsage().heapUsed;
  const [exact, found] = timed(() => compareWorlds(before, after));
  const mebibytes = (process.memoryUsage().heapUsed - empty) / 2 ** 20;
  return { name, texts, exact, mebibytes, found };
}

function print({ name, texts, exact, mebibytes, found }: Row): void {
  const { groups, identical, searched } = found.proof;
  console.log(
    [
      name.padEnd(46),
      `${texts.toFixed(3)} s`.padStart(10),
      `${exact.toFixed(3)} s`.padStart(10),
      (exact / texts).toFixed(1).padStart(7),
      mebibytes.toFixed(0).padStart(6),
      `  ${found.outcome}, ${found.differences.length} regions; ${groups} groups: ${identical} identical, ${searched} searched`,
    ].join(''),
  );
}

const rows: readonly (readonly [string, (changed: boolean) => PolicyWorld])[] = [
  ...[250, 500, 1000, 2000, 5000].map(
    (policies) =>
      [
        `${policies} policies in 200 namespaces`,
        (changed: boolean) => spreadWorld({ ...base, policies }, changed),
      ] as const,
  ),
  ...[250, 500, 1000, 2000, 5000].map(
    (policies) =>
      [
        `${policies} policies on one workload`,
        (changed: boolean) => crowdedWorld({ ...base, policies }, changed),
      ] as const,
  ),
  ...[5, 10, 15].map(
    (patterns) =>
      [
        `1000 on one workload, lists of ${patterns}`,
        (changed: boolean) => crowdedWorld({ ...base, patterns }, changed),
      ] as const,
  ),
  ...[2000, 10_000, 20_000].map(
    (workloads) =>
      [
        `1000 policies, ${workloads} workloads`,
        (changed: boolean) => spreadWorld({ ...base, workloads }, changed),
      ] as const,
  ),
];

// The first run of all compiles.
measure('', (changed) => spreadWorld({ ...base, policies: 200 }, changed));
console.log(
  `${'one policy of all changed'.padEnd(46)}${'texts'.padStart(10)}${'exact'.padStart(10)}${'ratio'.padStart(7)}${'MiB'.padStart(6)}`,
);
for (const [name, make] of values.short ? rows.slice(2, 3).concat(rows.slice(7, 8)) : rows)
  print(measure(name, make));
console.log('\nWhat nobody can compare');
const hopeless = measure('200 rules of which all may hold together', (changed) =>
  pathologicalWorld(200, changed),
);
print(hopeless);
for (const { policies, reason } of hopeless.found.undecided)
  console.log(`  ${policies.join(', ')}: ${reason}`);

console.log(
  `\n${'all linted'.padEnd(46)}${'texts'.padStart(10)}${'lint'.padStart(10)}${'ratio'.padStart(7)}`,
);
const linted = rows.slice(0, 10);
for (const [name, make] of values.short ? linted.slice(2, 3).concat(linted.slice(7, 8)) : linted) {
  const [one, other, world] = [make(false), make(true), make(false)];
  const [texts] = timed(() => compareTexts(one, other));
  const [lint, warnings] = timed(() => lintPolicies(world.policies, world));
  const untold = warnings.filter(({ rule }) => rule === 'effects-not-compared').length;
  console.log(
    [
      name.padEnd(46),
      `${texts.toFixed(3)} s`.padStart(10),
      `${lint.toFixed(3)} s`.padStart(10),
      (lint / texts).toFixed(1).padStart(7),
      `  ${warnings.length} warnings${untold > 0 ? `, ${untold} that not all could be told` : ''}`,
    ].join(''),
  );
}
