import type { RuleOf } from '../../exact/index.ts';
import type { AuthorizationPolicy, Policy } from '../../model.ts';

interface Left {
  readonly policy: AuthorizationPolicy | undefined;
  /** The numbers that the author knows of the rules that are left. */
  readonly rules: ReadonlySet<number>;
}

/** What was told to be needless so far, and is not there for what is asked next: so all of it can be removed at once. */
export class Gone {
  readonly #left = new Map<Policy, Left>();

  /** A policy without what is gone of it; undefined where that is all of it. */
  left<P extends Policy>(policy: P): P | AuthorizationPolicy | undefined {
    const known = this.#left.get(policy);
    return known ? known.policy : policy;
  }

  of(policies: readonly Policy[]): readonly Policy[] {
    if (this.#left.size === 0) return policies;
    return policies.flatMap((policy) => this.left(policy) ?? []);
  }

  /** The rules that are left, under the numbers that their author knows. */
  rulesOf(policy: AuthorizationPolicy): readonly RuleOf[] {
    return policy.rules.flatMap((_, rule) => (this.has({ policy, rule }) ? [{ policy, rule }] : []));
  }

  /** Whether a rule is left. */
  has({ policy, rule }: RuleOf): boolean {
    const known = this.#left.get(policy);
    return known === undefined || (known.policy !== undefined && known.rules.has(rule));
  }

  /** What is left of a policy, without one rule more. */
  without({ policy, rule }: RuleOf): AuthorizationPolicy {
    const kept = policy.rules.filter((_, at) => at !== rule && this.has({ policy, rule: at }));
    return { ...policy, rules: kept };
  }

  drop({ policy, rule }: RuleOf): void {
    const rules = new Set(this.rulesOf(policy).map((each) => each.rule));
    rules.delete(rule);
    this.#left.set(policy, { policy: this.without({ policy, rule }), rules });
  }

  dropWhole(policy: AuthorizationPolicy): void {
    this.#left.set(policy, { policy: undefined, rules: new Set() });
  }
}
