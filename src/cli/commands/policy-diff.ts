import type { Command } from 'commander';
import {
  abstractWorkloads,
  compareWorlds,
  formatPolicyProblem,
  type Policy,
  type PolicyWorld,
  policyKeyOf,
  readPolicies,
  type WorldComparison,
  withPolicies,
  withStored,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import { connectOperator } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { readGitFiles } from '../git-files.ts';
import { withOutput } from '../options.ts';
import { type OutputFormat, printable, printValue } from '../output.ts';
import { readPolicyFiles } from '../policy-files.ts';
import { namesText, parseKey } from '../policy-keys.ts';
import { givenWorld, type WorldOptions, withWorld } from '../policy-world.ts';
import { revisionArgument, storedPolicies } from '../stored-policies.ts';
import { tell } from './policy-change.ts';
import { comparisonText, explainLine } from './policy-diff-text.ts';

interface Options extends WorldOptions {
  readonly output: OutputFormat;
  readonly overLive?: boolean;
}

const sideHelp =
  'a file, a directory, git:REF, git:REF:DIRECTORY, live, or revision:N: what holds, with what is kept here, or of revision:N:POLICY that one alone, as it was then';

/** Adds `citadel policy diff`. */
export function addDiff(policy: Command): void {
  const command = policy
    .command('diff')
    .description(
      'what two sets of policies decide otherwise: exactly, with a request for each; exit code 0 for nothing, 1 for something, 2 where it cannot be told; what is audited otherwise is told, and counts as nothing',
    )
    .argument('<old>', sideHelp)
    .argument('<new>', 'likewise')
    .option(
      '--over-live',
      'each side holds beside what is live, in the place of policies of its names; default: it is all that holds',
    );
  withOutput(withWorld(command)).action(async (first: string, second: string) => {
    const options = command.opts<Options>();
    const given = [first, second];
    const sides = given.map((side) => (isOfServer(side) ? undefined : policiesOf(side)));
    const live = await givenWorld(options, given.some(isOfServer) || options.overLive === true);
    const [left, right] = worldsOf(sides, live, options);
    const [before, after] = [await worldAt(first, left, options), await worldAt(second, right, options)];
    const found = compareWorlds(before, after);
    print(found, live !== undefined, options.output);
    const gone = options.overLive === true ? [] : liveAlone(given, sides, live);
    if (gone.length > 0)
      tell(
        `note: compared as removed, for ${second} does not have it: ${namesText(gone)}; --over-live keeps it`,
      );
    if (found.outcome !== 'same')
      throw new ExitRequest(found.outcome === 'different' ? exitCodes.warning : exitCodes.broken);
  });
}

const revisionForm = /^revision:(\d+)(?::(.+))?$/;

function isOfServer(side: string): boolean {
  if (side.startsWith('revision:') && !revisionForm.test(side))
    throw new CitadelError(
      'OutOfRange',
      `${side} names no revision; write it as revision:12, or revision:12:AuthorizationPolicy/shop/orders`,
    );
  return side === 'live' || revisionForm.test(side);
}

/** Where a side is a revision, the world as it was then. @throws CitadelError NotFound where there was none */
async function worldAt(side: string, world: PolicyWorld, options: Options): Promise<PolicyWorld> {
  const [, revision, only] = revisionForm.exec(side) ?? [];
  if (revision === undefined) return world;
  const connection = connectOperator(options);
  try {
    const { policies } = await storedPolicies(connection, revisionArgument(revision));
    return withStored(world, policies, only === undefined ? undefined : parseKey(only));
  } finally {
    connection.close();
  }
}

/** What is live, and not among the files that are compared with it as all that would hold. */
function liveAlone(
  [first]: readonly string[],
  [, second]: readonly (readonly Policy[] | undefined)[],
  live: PolicyWorld | undefined,
): readonly string[] {
  if (first !== 'live' || !second || !live) return [];
  const named = new Set(second.map(policyKeyOf));
  return live.policies.map(policyKeyOf).filter((key) => !named.has(key));
}

function worldsOf(
  [first, second]: readonly (readonly Policy[] | undefined)[],
  live: PolicyWorld | undefined,
  options: Options,
): readonly [PolicyWorld, PolicyWorld] {
  const world = live ?? abstractWorld([...(first ?? []), ...(second ?? [])], options);
  const side = (policies: readonly Policy[] | undefined): PolicyWorld => {
    if (policies === undefined) return world;
    return options.overLive === true ? withPolicies(world, policies) : { ...world, policies };
  };
  return [side(first), side(second)];
}

/** A world of which nothing is known but what policies name. */
export function abstractWorld(policies: readonly Policy[], options: WorldOptions): PolicyWorld {
  // Which authorizers there are is not known either: those that are named.
  const named = policies.flatMap((policy) =>
    policy.kind === 'AuthorizationPolicy' && policy.provider !== undefined ? [policy.provider] : [],
  );
  const providers = [...new Set([...options.authorizationProvider, ...named])].toSorted();
  return {
    settings: {
      trustDomain: options.trustDomain,
      trustDomainAliases: options.trustDomainAlias,
      rootNamespace: options.rootNamespace,
      authorizationProviders: providers.map((name) => ({ name })),
    },
    ...abstractWorkloads(policies, options),
    policies: [],
    strict: new Set(),
  };
}

/** @throws CitadelError InvalidArgument where a part cannot be read: of the rest another thing would be said */
function policiesOf(side: string): readonly Policy[] {
  const { files, unreadable } = side.startsWith('git:')
    ? { files: readGitFiles(side.slice('git:'.length)), unreadable: [] }
    : readPolicyFiles([side]);
  const readings = files.map(({ source, text }) => readPolicies(text, { source }));
  const policies = readings.flatMap((reading) => reading.policies);
  const taken = new Set<string>();
  const twice = policies.filter((policy) => {
    const key = policyKeyOf(policy);
    const isTaken = taken.has(key);
    taken.add(key);
    return isTaken;
  });
  const problems = [
    ...unreadable,
    ...readings.flatMap((reading) => reading.problems.map(formatPolicyProblem)),
    ...twice.map((policy) => `${policyKeyOf(policy)} is in ${side} twice: it is not said which one counts`),
  ];
  if (problems.length > 0) throw new CitadelError('InvalidArgument', problems.map(printable).join('\n'));
  return policies;
}

function print(found: WorldComparison, registry: boolean, output: OutputFormat): void {
  if (output === 'table') {
    process.stdout.write(comparisonText(found, registry));
    return;
  }
  const explained = <T extends Parameters<typeof explainLine>[0]>(each: T) => {
    const explain = registry ? explainLine(each) : undefined;
    return { ...each, ...(explain !== undefined && { explain }) };
  };
  const marks = { ...found.marks, differences: found.marks.differences.map(explained) };
  printValue({ ...found, differences: found.differences.map(explained), marks, registry }, output);
}
