import { once } from '../../../../kernel/index.ts';
import { type PolicyRequest, ruleMatcher } from '../../decide/index.ts';
import {
  PlaceQuestions,
  type PortPlace,
  type RuleOf,
  type RulePlace,
  RuleQuestions,
  StepBudget,
  type Witness,
} from '../../exact/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, Policy } from '../../model.ts';
import type { LintRegistry } from '../context.ts';
import { valuesOf, valuesOfRule } from '../values.ts';
import { guesses } from './guess.ts';

/** What a rule matches beside others: something, as the witness shows; nothing, which is proven; or nobody can tell. */
export type Beside = Witness | 'nothing' | 'unknown';

/** Where every rule can be asked about, whatever there is. */
export const everywhere: readonly RulePlace[] = [{ protocol: 'http' }, { protocol: 'tcp' }];

/** More than this of one policy is not asked in vain. */
const mostUnknown = 3;

/** More rules than this nobody wants to be named for covering one. */
const mostCovering = 40;

/**
 * Asks about rules and worlds, as long as there is work left: first by requests that are guessed, which cost next to
 * nothing and mostly show that there is something; then the exact engine.
 */
export class Asking {
  readonly #settings: LintRegistry['settings'];
  readonly #budget: StepBudget;
  readonly #limits: { readonly stepsOfGroup: number; readonly regions: number };
  #guesses: number;
  #questions: RuleQuestions | undefined;
  #places: PlaceQuestions | undefined;
  #unknown = 0;
  readonly #tangled = new Set<string>();
  readonly #matchers = {
    http: once((request: PolicyRequest) => ruleMatcher(request, { ...this.#settings, tcp: false })),
    tcp: once((request: PolicyRequest) => ruleMatcher(request, { ...this.#settings, tcp: true })),
  };

  /** @param comparisons how many values may be compared with one another, about */
  constructor(settings: LintRegistry['settings'], comparisons: number) {
    this.#settings = settings;
    this.#guesses = 4 * comparisons;
    this.#budget = new StepBudget(Math.ceil(comparisons / 2));
    this.#limits = { stepsOfGroup: Math.ceil(comparisons / 40), regions: 1 };
  }

  /** What is asked from now on is of another policy. */
  begin(): void {
    this.#questions = undefined;
    this.#unknown = 0;
    this.#tangled.clear();
  }

  /** Whether there is nothing left for any policy. */
  get isOver(): boolean {
    return this.#guesses < 0 || this.#budget.left <= 0;
  }

  /** Whether nothing more is said of this policy, since too much could not be told. */
  get isStuck(): boolean {
    return this.isOver || this.#unknown >= mostUnknown;
  }

  /** Whether anything could not be told of this policy. */
  get isUnsure(): boolean {
    return this.#unknown > 0;
  }

  /** The policies for which it could not, as they can hold together in too many ways; as `<kind>/<namespace>/<name>`. */
  get tangled(): readonly string[] {
    return [...this.#tangled];
  }

  /** Requests that a rule matches and others do not, as far as they are guessed. @param like a rule to guess by */
  *shown(
    rule: RuleOf,
    others: readonly RuleOf[],
    place: RulePlace,
    like = rule.policy.rules[rule.rule],
  ): Generator<PolicyRequest> {
    const alone = { ...rule.policy, rules: like ? [like] : [] };
    for (const request of guesses(alone, this.#settings, place))
      if (
        !this.isOver &&
        this.matches(rule, request, place) &&
        !others.some((each) => this.matches(each, request, place))
      )
        yield request;
  }

  matches({ policy, rule }: RuleOf, request: PolicyRequest, { protocol }: RulePlace): boolean {
    this.#guesses -= sizeOfRule(policy.rules[rule] ?? nothing);
    return this.#matchers[protocol](request)(policy, rule);
  }

  /** What a rule matches and none of the others does. */
  beside(rule: RuleOf, others: readonly RuleOf[], place: RulePlace, like?: AuthorizationRule): Beside {
    if (this.isStuck) return 'unknown';
    for (const request of this.shown(rule, others, place, like)) return { request, providers: {} };
    this.#questions ??= new RuleQuestions(
      { ...nowhere, settings: this.#settings },
      this.#limits,
      this.#budget,
    );
    const found = this.#questions.matchesBeside(rule, others, place);
    if (found.answer === 'yes') return found.witness;
    return found.answer === 'no' ? 'nothing' : this.#noAnswer(found.policies);
  }

  /** The first that it is in any of some places. */
  besideAnywhere(
    rule: RuleOf,
    others: readonly RuleOf[],
    places: readonly RulePlace[],
    like?: AuthorizationRule,
  ): Beside {
    let unknown = false;
    for (const place of places) {
      const found = this.beside(rule, others, place, like);
      if (found === 'unknown') unknown = true;
      else if (found !== 'nothing') return found;
    }
    return unknown ? 'unknown' : 'nothing';
  }

  /**
   * Rules that together match all that one does, each of which is needed for it; else something that it matches and none
   * of them, where `find` knows no more.
   * @param find a rule that matches a request, in the order of preference
   */
  covering(
    rule: RuleOf,
    place: RulePlace,
    find: (request: PolicyRequest) => RuleOf | undefined,
  ): readonly RuleOf[] | Witness | 'unknown' {
    let found: readonly RuleOf[] = [];
    for (;;) {
      const left = this.beside(rule, found, place);
      if (left === 'nothing') break;
      const next = left === 'unknown' || found.length === mostCovering ? 'unknown' : find(left.request);
      if (next === 'unknown') return this.#noAnswer();
      if (next === undefined) return left === 'unknown' ? 'unknown' : left;
      found = [...found, next];
    }
    for (const each of found) {
      const rest = found.filter((other) => other !== each);
      if (found.length > 1 && this.beside(rule, rest, place) === 'nothing') found = rest;
    }
    return found;
  }

  /** Whether a port decides every request alike under other policies; false also where that is too much to say. */
  isSame(place: PortPlace, before: readonly Policy[], after: readonly Policy[]): boolean {
    if (!this.pay(100 * before.length)) return false;
    this.#places ??= new PlaceQuestions({ ...nowhere, settings: this.#settings }, this.#limits, this.#budget);
    const answer = this.#places.isSame(place, before, after);
    if (typeof answer !== 'boolean') this.#noAnswer(answer);
    return answer === true;
  }

  /** That so many policies are gone through. */
  pay(policies: number): boolean {
    this.#guesses -= policies;
    return !this.isStuck;
  }

  /** That all of some policies are compared with a request. */
  payFor(policies: readonly AuthorizationPolicy[]): boolean {
    return this.pay(policies.reduce((sum, policy) => sum + sizeOf(policy), 0));
  }

  #noAnswer(policies: readonly string[] = []): 'unknown' {
    this.#unknown += 1;
    for (const each of policies.slice(0, 3)) this.#tangled.add(each);
    return 'unknown';
  }
}

const nowhere = { workloads: new Map(), services: new Map(), policies: [], strict: new Set<string>() };
const nothing: AuthorizationRule = { from: [], to: [], when: [] };

const sizeOf = once((policy: AuthorizationPolicy) => 1 + policy.rules.length + valuesOf(policy).length);

const sizeOfRule = once((rule: AuthorizationRule) => 1 + valuesOfRule(rule, 0).length);
