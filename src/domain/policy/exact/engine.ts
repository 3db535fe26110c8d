import { CitadelError } from '../../../kernel/index.ts';
import { policyKey } from '../read/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { Budget, TooMuch } from './budget.ts';
import { Cofactors } from './cofactors.ts';
import { type Examples, examplesOf } from './examples.ts';
import { Explorer } from './explore.ts';
import type { Formula } from './formulas.ts';
import type { ExactLimits, PortProtocol, Undecided } from './model.ts';
import { type Carriers, Outcomes, type Place } from './outcome.ts';
import type { Group } from './places.ts';
import { claimsThatExclude, namesNoServerUnlessKnown, tokensAreWhereHeadersSay } from './real-requests.ts';
import { Vocabulary } from './vocabulary.ts';
import type { Defaults } from './witness.ts';

/** A million steps are about a second, and 100 MB at most. */
const defaultLimits: ExactLimits = { steps: 15_000_000, stepsOfGroup: 3_000_000, regions: 50 };

/** What is shared by all groups of one comparison. */
export class Engine {
  readonly budget: Budget;
  readonly vocabulary: Vocabulary;
  readonly explorer: Explorer;
  readonly limits: ExactLimits;
  readonly examples: Examples;
  readonly #realTokens: boolean;

  /** @param realTokens as Vocabulary has it, whose questions are then of another kind: for an engine of its own */
  constructor(
    world: PolicyWorld,
    limits: Partial<ExactLimits>,
    { realTokens = false, budget }: { readonly realTokens?: boolean; readonly budget?: Budget } = {},
  ) {
    this.limits = { ...defaultLimits, ...limits };
    this.budget = budget ?? new Budget(this.limits.steps);
    this.#realTokens = realTokens;
    this.examples = examplesOf(world);
    this.vocabulary = new Vocabulary(this.budget, this.examples, world.settings.trustDomain, realTokens);
    this.explorer = new Explorer(this.vocabulary, this.budget);
  }

  outcomes({ settings }: PolicyWorld): Outcomes {
    return new Outcomes(this.vocabulary, settings);
  }

  /**
   * Claims that cannot be together are of no request.
   * @param of isMixed: whether one of both reads HTTP, and the other one bytes; carriers: as Place has them
   */
  differences(
    before: Formula,
    after: Formula,
    {
      isMixed = false,
      carriers,
    }: { readonly isMixed?: boolean; readonly carriers?: Carriers | undefined } = {},
  ): ReturnType<Explorer['explore']> {
    if (before === after) return { diff: undefined, givenUp: undefined };
    const { formulas } = this.vocabulary;
    const real = formulas.and([
      claimsThatExclude(this.vocabulary, before, after),
      ...(isMixed ? [namesNoServerUnlessKnown(this.vocabulary, before, after)] : []),
      ...(carriers ? [tokensAreWhereHeadersSay(this.vocabulary, carriers.headers, before, after)] : []),
    ]);
    return this.explorer.explore(formulas.and([real, before]), formulas.and([real, after]));
  }

  /** What is left of a formula where this one calls; undefined: somebody without a certificate. */
  ofCaller(formula: Formula, identity: string | undefined): Formula {
    const { formulas, spaces } = this.vocabulary;
    const space = this.vocabulary.source();
    const attribute = spaces.indexOf(space);
    const literals = formulas.literalsOf(attribute, formula);
    const truths = space.truthsOf(identity?.replace(/^spiffe:\/\//, ''), literals);
    if (!truths) throw new CitadelError('OutOfRange', `no certificate names ${identity}`);
    return new Cofactors(formulas, this.budget).all(formula, truths, attribute);
  }

  defaults(
    { workload, port }: Pick<Defaults, 'workload' | 'port'>,
    protocol: PortProtocol,
    { carriers, tokenRules = [] }: Pick<Place, 'carriers' | 'tokenRules'> = {},
    other: Pick<Place, 'tokenRules'> = {},
  ): Defaults {
    const rules = [...tokenRules, ...(other.tokenRules ?? [])];
    return {
      carriers: carriers?.headers ?? [],
      madeOf: new Set(rules.flatMap(({ outputs }) => outputs.flatMap(({ claim }) => claim ?? []))),
      workload,
      port,
      protocol,
      source: this.examples.sources[0] ?? 'other.example/ns/default/sa/default',
      host: this.examples.hosts[0] ?? 'app.example',
      address: this.examples.addresses[0] ?? '10.0.0.1',
      tokensAreSent: this.#realTokens,
    };
  }

  /** The policies of which most was being looked at, as `<kind>/<namespace>/<name>`, the one with the most of it first. */
  tangledIn({ literals }: TooMuch): readonly string[] {
    const counts = new Map<string, number>();
    for (const name of literals.flatMap((literal) => this.vocabulary.literal(literal).policy ?? []))
      counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
  }

  undecided(error: unknown, { members, after }: Group): Undecided {
    if (!(error instanceof TooMuch)) throw error;
    const policies = this.tangledIn(error);
    const largest = after.policies
      .filter((policy) => policy.kind === 'AuthorizationPolicy')
      .toSorted((a, b) => b.rules.length - a.rules.length)
      .map((policy) => policyKey({ ...policy.meta, kind: policy.kind }));
    return {
      places: members,
      protocol: after.protocol,
      policies: (policies.length > 0 ? policies : largest).slice(0, 3),
      reason: 'there are too many ways in which their conditions can hold together for all to be looked at',
    };
  }
}
