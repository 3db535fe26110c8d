import { dirname, isAbsolute, join, resolve } from 'node:path';
import {
  type Policy,
  type PolicyProblem,
  type PolicyReading,
  type PolicyTest,
  type PolicyWorld,
  policyIdentity,
  policyKeyOf,
  readPolicies,
  readPolicyTests,
  withPolicies,
} from '../../domain/policy/index.ts';
import { isCitadelError, once } from '../../kernel/index.ts';
import { type PolicyFile, readPolicyFiles } from '../policy-files.ts';
import { loadWorld, type WorldOptions } from '../policy-world.ts';

/** A test, with all that it needs to be run. */
export interface LoadedTest {
  readonly test: PolicyTest;
  /** With the policies of the test's files in it. */
  readonly world: PolicyWorld;
  /** What the test is about: the policies of its files, or of its world where it names none. */
  readonly subjects: readonly Policy[];
}

export interface LoadedTests {
  readonly tests: readonly LoadedTest[];
  /** Tests that cannot be run, and files that cannot be read. */
  readonly problems: readonly PolicyProblem[];
  /** Where a part of a policy stands. */
  readonly locate: PolicyReading['locate'];
  /** All that was read, for who waits until it is other. */
  readonly paths: readonly string[];
}

const noTest =
  'holds no test: no document of kind PolicyTest; policies that are to be tested are named by a test, in spec.policies';

/** Reads tests, and the policies and the worlds that they name. @param given as on the command line */
export async function loadTests(
  given: readonly string[],
  options: WorldOptions,
  { mayBeNone = false }: { readonly mayBeNone?: boolean } = {},
): Promise<LoadedTests> {
  const loader = new Loader(options);
  const { files, unreadable } = readPolicyFiles(given);
  loader.paths.push(...given.filter((path) => path !== '-'));
  for (const message of unreadable) loader.problems.push(told('', message));
  const tests: LoadedTest[] = [];
  for (const file of files) {
    const reading = readPolicyTests(file.text, file.source);
    loader.problems.push(...reading.problems);
    if (
      !mayBeNone &&
      reading.tests.length + reading.problems.length === 0 &&
      (file.file === undefined || given.includes(file.file))
    )
      loader.problems.push(told(file.source, noTest));
    for (const test of reading.tests) {
      const loaded = await loader.load(test, file);
      if (loaded) tests.push(loaded);
    }
  }
  if (!mayBeNone && tests.length + loader.problems.length === 0)
    loader.problems.push(
      told('', `there is no test below ${given.join(' ')}: no document of kind PolicyTest`),
    );
  return { tests, problems: loader.problems, locate: loader.locate, paths: loader.paths };
}

function told(source: string, message: string): PolicyProblem {
  return { source, path: '', message };
}

class Loader {
  readonly problems: PolicyProblem[] = [];
  readonly paths: string[] = [];
  readonly #options: WorldOptions;
  /** Each file is read once, so that its policies are the same objects for all tests. */
  readonly #readings = new Map<string, PolicyReading>();
  readonly #given: (options: WorldOptions) => Promise<PolicyWorld> = once(loadWorld);

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  readonly locate: PolicyReading['locate'] = (policy, path) => {
    for (const reading of this.#readings.values()) {
      const place = reading.locate(policy, path);
      if (place) return place;
    }
    return undefined;
  };

  /** Undefined where `problems` says why not. */
  async load(test: PolicyTest, { file, source }: PolicyFile): Promise<LoadedTest | undefined> {
    const before = this.problems.length;
    const beside = file === undefined ? '.' : dirname(file);
    const policies = this.#policies(
      test.policies.map((path) => (isAbsolute(path) ? path : join(beside, path))),
      test,
    );
    if (this.problems.length > before) return undefined;
    try {
      const world = withPolicies(await this.#world(test, beside), policies);
      return { test, world, subjects: test.policies.length > 0 ? policies : world.policies };
    } catch (error) {
      if (!isCitadelError(error)) throw error;
      for (const line of error.message.split('\n'))
        this.problems.push(told(source, `the test ${test.name} has no world: ${line}`));
      return undefined;
    }
  }

  async #world({ world }: PolicyTest, beside: string): Promise<PolicyWorld> {
    switch (world.kind) {
      case 'inline':
        return world.world;
      case 'given':
        this.paths.push(
          ...[this.#options.world, this.#options.registry].filter((path) => path !== undefined),
        );
        return this.#given(this.#options);
      case 'file':
      case 'registry': {
        const path = resolve(beside, world.path);
        this.paths.push(path);
        const { world: _, registry: __, ...rest } = this.#options;
        if (world.kind === 'file') return loadWorld({ ...rest, world: path });
        const { settings } = world;
        return loadWorld({
          ...rest,
          registry: path,
          trustDomain: settings.trustDomain,
          trustDomainAlias: settings.trustDomainAliases,
          rootNamespace: settings.rootNamespace,
          authorizationProvider: settings.providers,
        });
      }
    }
  }

  #policies(paths: readonly string[], { source, name }: PolicyTest): readonly Policy[] {
    this.paths.push(...paths);
    const { files, unreadable } = readPolicyFiles(paths);
    for (const message of unreadable) this.problems.push(told(source, `the test ${name}: ${message}`));
    const taken = new Map<string, Policy>();
    for (const { source: file, text } of files) {
      const known = this.#readings.get(resolve(file));
      const reading = known ?? readPolicies(text, { source: file });
      this.#readings.set(resolve(file), reading);
      // Of a file that two tests name, what is wrong is said for each: neither is run.
      this.problems.push(...(known ? [] : reading.problems));
      if (known && reading.problems.length > 0)
        this.problems.push(told(source, `the test ${name} cannot be run: ${file} is broken`));
      for (const policy of reading.policies) {
        const key = policyKeyOf(policy);
        const first = taken.get(key);
        if (first)
          this.problems.push({
            ...told(file, `is in ${first.meta.origin.source} too, and the test ${name} takes both`),
            line: policy.meta.origin.line ?? 1,
            object: policyIdentity(policy),
          });
        else taken.set(key, policy);
      }
    }
    return [...taken.values()];
  }
}
