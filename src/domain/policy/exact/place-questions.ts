import type { Policy } from '../model.ts';
import type { PolicyWorld } from '../world/index.ts';
import { type Budget, TooMuch } from './budget.ts';
import { Engine } from './engine.ts';
import type { ExactLimits } from './model.ts';
import type { Outcomes } from './outcome.ts';
import type { PortPlace } from './rules.ts';

/**
 * Asks again and again whether a port decides alike under other policies, for who tries what of them matters: what has been
 * worked out of a policy serves the next question too. What tokens are taken must be the same.
 */
export class PlaceQuestions {
  readonly #engine: Engine;
  readonly #outcomes: Outcomes;

  constructor(world: PolicyWorld, limits: Partial<ExactLimits>, budget: Budget) {
    this.#engine = new Engine(world, limits, { budget });
    this.#outcomes = this.#engine.outcomes(world);
  }

  /** The policies that can hold together in too many ways, where there are too many to look at. */
  isSame(
    { protocol, at }: PortPlace,
    before: readonly Policy[],
    after: readonly Policy[],
  ): boolean | readonly string[] {
    const { takesTokens, ...place } = at;
    const of = takesTokens ? place : { ...place, tokenRules: [] };
    const engine = this.#engine;
    engine.budget.grant(engine.limits.stepsOfGroup);
    try {
      const [was, is] = [before, after].map((policies) =>
        this.#outcomes.allowed({ ...of, policies, protocol, proxied: true }),
      );
      if (was === undefined || is === undefined) return [];
      return engine.differences(was, is).diff === undefined;
    } catch (error) {
      if (error instanceof TooMuch) return engine.tangledIn(error);
      throw error;
    }
  }
}
