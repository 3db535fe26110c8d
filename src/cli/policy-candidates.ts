import {
  formatPolicyProblem,
  type Policy,
  type PolicyLocator,
  type PolicyReading,
  type PolicyWorld,
  policyHash,
  policyKeyOf,
  readPolicies,
  withPolicies,
} from '../domain/policy/index.ts';
import { CitadelError } from '../kernel/index.ts';
import { readPolicyFiles } from './policy-files.ts';

/** Policies of files that a command was given, over those of the world. */
export interface Candidates {
  /** The files, as they were named; empty where there are none. */
  readonly sources: readonly string[];
  readonly applyTo: (world: PolicyWorld) => PolicyWorld;
  /** Where parts of policies stand, in the files or in the registry's. */
  readonly locate: PolicyLocator;
}

/**
 * @param registry a directory that the world comes from: its policies are looked up in its files
 * @throws CitadelError InvalidArgument where a file cannot be read whole: what the rest decides would be another answer
 */
export function readCandidates(given: readonly string[], registry: string | undefined): Candidates {
  const { files, unreadable } = readPolicyFiles(given);
  const readings = files.map(({ source, text }) => readPolicies(text, { source }));
  const problems = [
    ...unreadable,
    ...readings.flatMap((reading) => reading.problems.map(formatPolicyProblem)),
  ];
  if (problems.length > 0) throw new CitadelError('InvalidArgument', problems.join('\n'));
  return {
    sources: files.map(({ source }) => source),
    applyTo: (world) =>
      withPolicies(
        world,
        readings.flatMap(({ policies }) => policies),
      ),
    locate: locator([...readings, ...readingsOf(registry)]),
  };
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
