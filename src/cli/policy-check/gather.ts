import {
  compareWorlds,
  type LintWarning,
  type Policy,
  type PolicyProblem,
  type PolicyWorld,
  type WorldComparison,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { abstractWorld } from '../commands/policy-diff.ts';
import { namesText } from '../policy-keys.ts';
import type { TestReport } from '../policy-testing/report.ts';
import { testsOf } from '../policy-testing/run.ts';
import { givenWorld, type WorldOptions } from '../policy-world.ts';
import {
  type Against,
  changeOf,
  type PolicyChange,
  type Removal,
  type Removing,
  removalsOf,
} from './change.ts';
import { type BaseSide, pathsLeft, readBase, readSide, type Side } from './sides.ts';
import { warningsOf } from './warnings.ts';

/** All that a check has found. */
export interface Findings {
  readonly problems: readonly PolicyProblem[];
  readonly warnings: readonly LintWarning[];
  readonly tests: TestReport;
  /** What is decided otherwise than by what it was compared with; undefined where it was compared with nothing. */
  readonly comparison: PolicyComparison | undefined;
  /** Whether it is known who is there: else each namespace and selector that a policy names was taken for somebody. */
  readonly isWorldKnown: boolean;
}

export interface PolicyComparison extends WorldComparison {
  readonly removals: readonly Removal[];
  /** What is to be known beside it, each a sentence without its end. */
  readonly notes: readonly string[];
}

export interface CheckOptions extends WorldOptions {
  /** `live`, or policies: a file, a directory, `git:REF` or `git:REF:DIRECTORY`. */
  readonly against?: string;
  /** With `live`: policies likewise, from which the change started. */
  readonly base?: string;
  /** With `live`: the files are all there is. */
  readonly all?: boolean;
  /** With `live`: of these namespaces the files are all there is. */
  readonly allIn?: readonly string[];
}

const live = 'live';

/**
 * Judges files of policies and their tests. @param given as on the command line
 * @throws CitadelError where there is no world to be had that one needs
 */
export async function gather(given: readonly string[], options: CheckOptions): Promise<Findings> {
  const { against } = options;
  refuseUseless(options);
  const baseName = against === live ? options.base : against;
  const base = baseName === undefined ? undefined : readBase(baseName, given);
  const left = pathsLeft(given, base);
  const candidate = readSide(left);
  const world = await givenWorld(options, against === live);
  const tests = await testsOf(left, options);
  const { policies } = candidate;
  const compared = world ?? (base && abstractWorld([...base.policies, ...policies], options));
  const change = compared && changeOf(compared, policies, againstOf(options, base));
  return {
    problems: onceEach([...candidate.problems, ...tests.problems]),
    warnings: warningsOf(candidate, world && change?.after, options),
    tests,
    // Of what is broken the rest would be compared, and something else be said.
    comparison:
      against !== undefined && change && candidate.problems.length === 0
        ? comparisonOf(change, base, candidate, options)
        : undefined,
    isWorldKnown: world !== undefined,
  };
}

/** @throws CitadelError OutOfRange for options that would say nothing */
function refuseUseless({ against, base, all, allIn }: CheckOptions): void {
  const given = [
    base === undefined ? '' : '--base',
    all === true ? '--all' : '',
    allIn === undefined ? '' : '--all-in',
  ];
  const [one, two] = given.filter((name) => name !== '');
  if (one !== undefined && against !== live)
    throw new CitadelError(
      'OutOfRange',
      `${one} says which live policies go; it needs --against live. Of other files what they alone have goes anyway`,
    );
  if (two !== undefined)
    throw new CitadelError(
      'OutOfRange',
      `${one} and ${two} both say which live policies go; give one of them`,
    );
}

function againstOf({ against, all, allIn }: CheckOptions, base: BaseSide | undefined): Against {
  if (against !== live) return { kind: 'files', policies: base?.policies ?? [] };
  const removing: Removing = base
    ? { kind: 'deleted', base: base.policies }
    : all === true || allIn !== undefined
      ? { kind: 'others', namespaces: allIn }
      : { kind: 'nothing' };
  return { kind: live, removing };
}

function comparisonOf(
  change: PolicyChange,
  base: BaseSide | undefined,
  { policies }: Side,
  options: CheckOptions,
): PolicyComparison {
  return {
    ...compareWorlds(change.before, change.after),
    removals: removalsOf(change, compareWorlds),
    notes: [...notesOf(change, base, policies), ...emptyNamespaces(change.before, options)],
  };
}

function notesOf(
  { drifted, staying }: PolicyChange,
  base: BaseSide | undefined,
  policies: readonly Policy[],
): readonly string[] {
  const notes: string[] = [];
  if (base?.policies.length === 0) notes.push(`${base.name} has no policies: all of these are new`);
  if (base && base.policies.length > 0 && policies.length === 0)
    notes.push(`no policy is left of those of ${base.name}`);
  if (drifted.length > 0)
    notes.push(
      `live is not what ${base?.name ?? 'it was'} says: ${namesText(drifted)}; what that makes is told too`,
    );
  if (staying.length > 0)
    notes.push(`in none of the files, and staying: ${namesText(staying)}; --base or --all has them go`);
  return notes;
}

/** Of a namespace whose name is wrong nothing would go, and nothing be said. */
function emptyNamespaces(
  { policies, workloads }: PolicyWorld,
  { allIn = [] }: CheckOptions,
): readonly string[] {
  const known = new Set([
    ...policies.map(({ meta }) => meta.namespace),
    ...[...workloads.values()].map(({ namespace }) => namespace),
  ]);
  return allIn
    .filter((name) => !known.has(name))
    .map((name) => `in namespace ${name} is nobody, and no policy`);
}

/** What the policies' reader and the tests' say of one file is one problem. */
function onceEach(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
