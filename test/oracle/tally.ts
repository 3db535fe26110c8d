import { isDeepStrictEqual } from 'node:util';
import type {
  AuthorizationAction,
  Decision,
  DecisionStep,
  RuleReference,
} from '../../src/domain/policy/index.ts';

/** What both sides can say of a pair. */
export interface Outcome {
  readonly verdict: 'allow' | 'deny';
  readonly step: DecisionStep;
  readonly by: RuleReference | undefined;
  /** The first AUDIT rule. */
  readonly audit: RuleReference | undefined;
  /** Dry-run rules that matched; only of steps that Envoy got to. */
  readonly dryRun: readonly { readonly action: AuthorizationAction; readonly by: RuleReference }[];
}

/** Of a pair of policies and a request: what we say, and what Envoy does. */
export interface Compared {
  readonly ours: Outcome;
  readonly envoys: Outcome;
  readonly pair: object;
}

/** What came of many pairs; of the mismatches only the first are kept. */
export class Tally {
  readonly pairs: number;
  readonly allowed: number;
  readonly mismatchCount: number;
  readonly mismatches: readonly Compared[];
  readonly steps: ReadonlyMap<string, number>;

  constructor(counts: Partial<Tally> = {}) {
    this.pairs = counts.pairs ?? 0;
    this.allowed = counts.allowed ?? 0;
    this.mismatchCount = counts.mismatchCount ?? 0;
    this.mismatches = counts.mismatches ?? [];
    this.steps = counts.steps ?? new Map();
  }

  static of(pairs: readonly Compared[]): Tally {
    const steps = new Map<string, number>();
    for (const { ours } of pairs) {
      const what = `${ours.verdict} by ${ours.step}${ours.by === undefined ? ', no rule' : ''}`;
      steps.set(what, (steps.get(what) ?? 0) + 1);
    }
    const mismatches = pairs.filter(({ ours, envoys }) => !isDeepStrictEqual(ours, envoys));
    return new Tally({
      pairs: pairs.length,
      allowed: pairs.filter(({ ours }) => ours.verdict === 'allow').length,
      mismatchCount: mismatches.length,
      mismatches,
      steps,
    });
  }

  plus(other: Tally): Tally {
    const steps = new Map(this.steps);
    for (const [what, count] of other.steps) steps.set(what, (steps.get(what) ?? 0) + count);
    return new Tally({
      pairs: this.pairs + other.pairs,
      allowed: this.allowed + other.allowed,
      mismatchCount: this.mismatchCount + other.mismatchCount,
      mismatches: [...this.mismatches, ...other.mismatches].slice(0, 100),
      steps,
    });
  }
}

const at: Readonly<Record<DecisionStep | AuthorizationAction, number>> = {
  PATH: 0,
  CUSTOM: 1,
  AUDIT: 2,
  DENY: 3,
  ALLOW: 4,
  default: 5,
};

/** Of our decision, what Envoy can be asked about. */
export function outcomeOf({ verdict, step, by, audit, dryRun }: Decision): Outcome {
  const matched = dryRun.flatMap(({ action, by: rule }) =>
    rule === undefined ? [] : [{ action, by: rule }],
  );
  return comparable({ verdict, step, by, audit: audit[0], dryRun: matched });
}

/** What a refusal comes before is not decided, and what the refusing filter itself saw is not in its reply yet. */
export function comparable(outcome: Outcome): Outcome {
  const { verdict, step, dryRun } = outcome;
  return { ...outcome, dryRun: dryRun.filter(({ action }) => verdict === 'allow' || at[action] < at[step]) };
}
