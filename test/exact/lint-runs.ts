import { Random } from '../oracle/generate/index.ts';
import { everyRequest } from './check.ts';
import { checkLint } from './lint.ts';
import { randomPair } from './pairs.ts';
import { told } from './told.ts';

/** What came of linting many worlds. */
export interface Linted {
  readonly worlds: number;
  readonly requests: number;
  /** How often each warning of effects was given, by its name. */
  readonly warnings: Readonly<Record<string, number>>;
  /** Policies, rules and parts of which nothing was said, each shown to have an effect. */
  readonly silent: number;
  /** Worlds of which something is wrong that is said, or that is not. */
  readonly faults: number;
  /** Of the first few faults: what is wrong, of which world. */
  readonly told: readonly string[];
}

export const nothingLinted: Linted = { worlds: 0, requests: 0, warnings: {}, silent: 0, faults: 0, told: [] };

/** One small world, and every request that can be made around it. */
export function smallLint(seed: number, most: number, before: Linted = nothingLinted): Linted {
  const random = new Random(seed);
  const { before: world } = randomPair(random, seed);
  const checked = checkLint(world, everyRequest(random, most, world), everyRequest(random, 5, world));
  const [fault] = checked.faults;
  const text =
    fault && [`lint ${seed}`, fault.what, JSON.stringify([fault.place, fault.trial]), told(world)].join('\n');
  const warnings = { ...before.warnings };
  for (const { rule } of checked.warnings) warnings[rule] = (warnings[rule] ?? 0) + 1;
  return {
    worlds: before.worlds + 1,
    requests: before.requests + checked.requests,
    warnings,
    silent: before.silent + checked.silent,
    faults: before.faults + Number(fault !== undefined),
    told: text === undefined ? before.told : [...before.told, text].slice(0, 5),
  };
}
