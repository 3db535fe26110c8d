import { relative, resolve, sep } from 'node:path';
import {
  type Policy,
  type PolicyProblem,
  type PolicyReading,
  policyIdentity,
  policyKeyOf,
  readPolicies,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { gitMark, parseGitSide, readGitFiles } from '../git-files.ts';
import { holdsNoFile, type PolicyFile, readPolicyFiles } from '../policy-files.ts';
import { problemLine } from '../policy-testing/report.ts';

/** Policies of files, as far as they can be read. */
export interface Side {
  readonly policies: readonly Policy[];
  readonly problems: readonly PolicyProblem[];
  readonly locate: PolicyReading['locate'];
}

/** What a change of files started from. */
export interface BaseSide extends Side {
  /** As it was given: a file, a directory, or `git:REF...`. */
  readonly name: string;
  /** Of files that git has; empty for other sides. */
  readonly paths: readonly string[];
}

/** @param given as on the command line */
export function readSide(given: readonly string[]): Side {
  const { files, unreadable } = readPolicyFiles(given);
  return sideOf(files, unreadable);
}

/**
 * @param given the files that are compared with it: a directory of theirs that git had not yet is no mistake
 * @throws CitadelError where it cannot be read whole
 */
export function readBase(name: string, given: readonly string[]): BaseSide {
  const base = name.startsWith(gitMark) ? readGitSide(name, given) : { ...readSide([name]), paths: [] };
  const [first, ...more] = base.problems;
  if (!first) return { ...base, name };
  const others = more.length === 0 ? '' : `; and ${more.length} more: check it by itself first`;
  throw new CitadelError(
    'FailedPrecondition',
    `${name} cannot be compared with: ${problemLine(first)}${others}`,
  );
}

function readGitSide(name: string, given: readonly string[]): Omit<BaseSide, 'name'> {
  const text = name.slice(gitMark.length);
  const { directory } = parseGitSide(text);
  const mayBeEmpty = given.some((path) => isWithin(path, directory) && !holdsNoFile(path));
  const files = readGitFiles(text, { mayBeEmpty });
  return { ...sideOf(files, []), paths: files.map(({ path }) => path) };
}

/**
 * What is left of the paths on the command line: one at which git had files, and nothing is now, was deleted. Where it had
 * none either, the path is wrong, and stays.
 */
export function pathsLeft(given: readonly string[], base: BaseSide | undefined): readonly string[] {
  const had = (path: string) => base?.paths.some((file) => isWithin(file, path)) === true;
  return given.filter((path) => !(had(path) && holdsNoFile(path)));
}

function isWithin(path: string, directory: string): boolean {
  const from = relative(resolve(directory), resolve(path));
  return from !== '..' && !from.startsWith(`..${sep}`);
}

export function sideOf(files: readonly PolicyFile[], unreadable: readonly string[]): Side {
  const readings = files.map(({ source, text }) => readPolicies(text, { source }));
  const taken = new Map<string, Policy>();
  const problems: PolicyProblem[] = unreadable.map((message) => ({ source: '', path: '', message }));
  for (const reading of readings) {
    problems.push(...reading.problems);
    for (const policy of reading.policies) {
      const first = taken.get(policyKeyOf(policy));
      if (!first) taken.set(policyKeyOf(policy), policy);
      else {
        const { source, line = 1 } = policy.meta.origin;
        const message = `is in ${first.meta.origin.source} too: nobody can say which one counts`;
        problems.push({ source, line, object: policyIdentity(policy), path: '', message });
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
