import {
  compareWorlds,
  type LintWarning,
  lintPolicies,
  lintWithoutWorld,
  type Policy,
  type PolicyProblem,
  type PolicyReading,
  type PolicyWorld,
  policyKey,
  readPolicies,
  type WorldComparison,
  withPolicies,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { abstractWorld } from '../commands/policy-diff.ts';
import { readGitFiles } from '../git-files.ts';
import { readPolicyFiles } from '../policy-files.ts';
import type { TestReport } from '../policy-testing/report.ts';
import { testsOf } from '../policy-testing/run.ts';
import { loadWorld, type WorldOptions } from '../policy-world.ts';

/** All that a check has found. */
export interface Findings {
  readonly problems: readonly PolicyProblem[];
  readonly warnings: readonly LintWarning[];
  readonly tests: TestReport;
  /** What is decided otherwise than by what it was compared with; undefined where it was compared with nothing. */
  readonly comparison: WorldComparison | undefined;
  /** Whether it is known who is there: else each namespace and selector that a policy names was taken for somebody. */
  readonly isWorldKnown: boolean;
}

export interface CheckOptions extends WorldOptions {
  /** `live`, or policies: a file, a directory, `git:REF` or `git:REF:DIRECTORY`. */
  readonly against?: string;
}

/**
 * Judges files of policies and their tests. @param given as on the command line
 * @throws CitadelError where there is no world to be had that one needs
 */
export async function gather(given: readonly string[], options: CheckOptions): Promise<Findings> {
  const { against } = options;
  const candidate = readSide(given);
  const base = against === undefined || against === 'live' ? undefined : readSide([against]);
  if (base && base.problems.length > 0)
    throw new CitadelError('FailedPrecondition', `${against} is broken; check it by itself first`);
  const known = [options.world, options.registry, options.server, options.socket];
  const hasWorld = against === 'live' || known.some((each) => each !== undefined);
  const world = hasWorld ? await loadWorld(options) : undefined;
  const tests = await testsOf(given, options);
  const { policies, locate } = candidate;
  const compared = world ?? (base && abstractWorld([...base.policies, ...policies], options));
  const [before, after] = compared ? sidesOf(compared, base?.policies ?? [], policies) : [];
  return {
    problems: onceEach([...candidate.problems, ...tests.problems]),
    warnings:
      world && after
        ? lintPolicies(after.policies, after, locate, { subjects: policies })
        : lintWithoutWorld(policies, locate),
    tests,
    // Of what is broken the rest would be compared, and something else be said.
    comparison:
      against !== undefined && before && after && candidate.problems.length === 0
        ? compareWorlds(before, after)
        : undefined,
    isWorldKnown: world !== undefined,
  };
}

/** What holds without the files and with them: what a base had and the files have not is gone. */
function sidesOf(
  world: PolicyWorld,
  base: readonly Policy[],
  policies: readonly Policy[],
): readonly [before: PolicyWorld, after: PolicyWorld] {
  const before = withPolicies(world, base);
  const kept = new Set(policies.map(keyOf));
  const gone = new Set(base.map(keyOf).filter((key) => !kept.has(key)));
  const left = { ...before, policies: before.policies.filter((policy) => !gone.has(keyOf(policy))) };
  return [before, withPolicies(left, policies)];
}

const ofGit = 'git:';

interface Side {
  readonly policies: readonly Policy[];
  readonly problems: readonly PolicyProblem[];
  readonly locate: PolicyReading['locate'];
}

function readSide(given: readonly string[]): Side {
  const [only = ''] = given;
  const { files, unreadable } = only.startsWith(ofGit)
    ? { files: readGitFiles(only.slice(ofGit.length)), unreadable: [] }
    : readPolicyFiles(given);
  const readings = files.map(({ source, text }) => readPolicies(text, { source }));
  const taken = new Map<string, Policy>();
  const problems: PolicyProblem[] = unreadable.map((message) => ({ source: '', path: '', message }));
  for (const reading of readings) {
    problems.push(...reading.problems);
    for (const policy of reading.policies) {
      const first = taken.get(keyOf(policy));
      if (!first) taken.set(keyOf(policy), policy);
      else {
        const { source, line = 1 } = policy.meta.origin;
        const message = `is in ${first.meta.origin.source} too: nobody can say which one counts`;
        problems.push({ source, line, object: identityOf(policy), path: '', message });
      }
    }
  }
  return {
    policies: [...taken.values()],
    problems,
    locate: (policy, path) => {
      for (const reading of readings) {
        const place = reading.locate(policy, path);
        if (place) return place;
      }
      return undefined;
    },
  };
}

function identityOf({ kind, meta: { namespace, name } }: Policy) {
  return { kind, namespace, name };
}

function keyOf(policy: Policy): string {
  return policyKey(identityOf(policy));
}

/** What the policies' reader and the tests' say of one file is one problem. */
function onceEach(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
