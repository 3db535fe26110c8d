import type { PolicyWorld } from '../world/index.ts';
import { Engine } from './engine.ts';
import type { ExactLimits } from './model.ts';
import type { Outcomes, Place } from './outcome.ts';

/** An engine, and what both worlds say in its terms. */
export interface Asking {
  readonly engine: Engine;
  readonly was: Outcomes;
  readonly is: Outcomes;
}

/** Two worlds that are compared. Claims are of another kind where it is asked which tokens are taken. */
export class Sides {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
  readonly #limits: Partial<ExactLimits>;
  readonly #free: Asking;
  #ofTokens: Asking | undefined;

  constructor(before: PolicyWorld, after: PolicyWorld, limits: Partial<ExactLimits>) {
    this.before = before;
    this.after = after;
    this.#limits = limits;
    this.#free = this.#asking(new Engine(after, limits));
  }

  /** What two places are asked about with, and leave for one more group to work with. */
  begin(first: Place, second: Place): Asking {
    const asking = isOfTokens(first) || isOfTokens(second) ? this.#withTokens() : this.#free;
    asking.engine.budget.grant(asking.engine.limits.stepsOfGroup);
    return asking;
  }

  #withTokens(): Asking {
    const { budget } = this.#free.engine;
    this.#ofTokens ??= this.#asking(new Engine(this.after, this.#limits, { realTokens: true, budget }));
    return this.#ofTokens;
  }

  #asking(engine: Engine): Asking {
    return { engine, was: engine.outcomes(this.before), is: engine.outcomes(this.after) };
  }
}

/** Whether it is asked which tokens are taken. */
function isOfTokens({ tokenRules = [] }: Place): boolean {
  return tokenRules.length > 0;
}
