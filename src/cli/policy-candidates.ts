import type { Command } from 'commander';
import {
  formatPolicyProblem,
  type Policy,
  type PolicyLocator,
  type PolicyReading,
  type PolicyWorld,
  policyHash,
  policyKey,
  policyKeyOf,
  readPolicies,
  withoutPolicies,
  withPolicies,
} from '../domain/policy/index.ts';
import { CitadelError } from '../kernel/index.ts';
import { readPolicyFiles } from './policy-files.ts';
import { parseKey, policyKeyHelp } from './policy-keys.ts';

/** What a command is to take as otherwise than it is: policies of files that hold, and others that do not. */
export interface Candidates {
  /** In words, as the beginning of a sentence; empty where all is as it is. */
  readonly assumed: string;
  /** @throws CitadelError as `withoutNamed` does */
  readonly applyTo: (world: PolicyWorld) => PolicyWorld;
  /** Where parts of policies stand, in the files or in the registry's. */
  readonly locate: PolicyLocator;
}

export interface RemovalOptions {
  readonly remove?: readonly string[];
}

export function withRemoval(command: Command): Command {
  return command.option('--remove <policy...>', `as if these were taken away, ${policyKeyHelp}`);
}

/**
 * @param registry a directory that the world comes from: its policies are looked up in its files
 * @throws CitadelError InvalidArgument where a file cannot be read whole: what the rest decides would be another answer
 */
export function readCandidates(
  given: readonly string[],
  { remove = [], registry }: RemovalOptions & { readonly registry?: string | undefined } = {},
): Candidates {
  const { files, unreadable } = readPolicyFiles(given);
  const readings = files.map(({ source, text }) => readPolicies(text, { source }));
  const problems = [
    ...unreadable,
    ...readings.flatMap((reading) => reading.problems.map(formatPolicyProblem)),
  ];
  if (problems.length > 0) throw new CitadelError('InvalidArgument', problems.join('\n'));
  return {
    assumed: assumedWords(
      remove,
      files.map(({ source }) => source),
    ),
    applyTo: (world) =>
      withPolicies(
        withoutNamed(world, remove),
        readings.flatMap(({ policies }) => policies),
      ),
    locate: locator([...readings, ...readingsOf(registry)]),
  };
}

function assumedWords(removed: readonly string[], sources: readonly string[]): string {
  const parts = [
    ...(removed.length > 0 ? [`${removed.join(', ')} taken away`] : []),
    ...(sources.length > 0 ? [`those of ${sources.join(', ')} in the place of theirs`] : []),
  ];
  return parts.length > 0 ? `With ${parts.join(' and ')}` : '';
}

/** @throws CitadelError NotFound for a policy that does not hold: what its end would change is nothing, and not what is asked */
export function withoutNamed(world: PolicyWorld, named: readonly string[]): PolicyWorld {
  const gone = new Set(named.map((name) => policyKey(parseKey(name))));
  const holding = new Set(world.policies.map(policyKeyOf));
  const missing = [...gone].find((key) => !holding.has(key));
  if (missing !== undefined)
    throw new CitadelError('NotFound', `${missing} does not hold: citadel policy status names those that do`);
  return withoutPolicies(world, gone);
}

/** What is no policy there, a workload or a service, has been read as what it is. */
function readingsOf(registry: string | undefined): readonly PolicyReading[] {
  if (registry === undefined) return [];
  return readPolicyFiles([registry]).files.map(({ source, text }) => readPolicies(text, { source }));
}

/** A policy that says the same as one of a file stands where that one does. */
function locator(readings: readonly PolicyReading[]): PolicyLocator {
  const written = new Map<string, { readonly policy: Policy; readonly locate: PolicyLocator }>();
  for (const { policies, locate } of readings)
    for (const policy of policies) {
      const key = policyKeyOf(policy);
      if (!written.has(key)) written.set(key, { policy, locate });
    }
  return (policy, path) => {
    const found = written.get(policyKeyOf(policy));
    return found && policyHash(found.policy) === policyHash(policy)
      ? found.locate(found.policy, path)
      : undefined;
  };
}
