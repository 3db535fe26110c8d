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

/** What came of many pairs, one behind the other; of the mismatches only the first are kept. */
export class Tally {
  readonly pairs: number;
  readonly allowed: number;
  readonly mismatchCount: number;
  readonly mismatches: readonly Compared[];
  /** How many pairs it took to the first mismatch, itself included. */
  readonly firstMismatch: number | undefined;

  constructor(counts: Partial<Tally> = {}) {
    this.pairs = counts.pairs ?? 0;
    this.allowed = counts.allowed ?? 0;
    this.mismatchCount = counts.mismatchCount ?? 0;
    this.mismatches = counts.mismatches ?? [];
    this.firstMismatch = counts.firstMismatch;
  }

  static of(pairs: readonly Compared[]): Tally {
    const differs = ({ ours, envoys }: Compared) => !isDeepStrictEqual(ours, envoys);
    const mismatches = pairs.filter(differs);
    return new Tally({
      pairs: pairs.length,
      allowed: pairs.filter(({ ours }) => ours.verdict === 'allow').length,
      mismatchCount: mismatches.length,
      mismatches,
      firstMismatch: mismatches.length === 0 ? undefined : pairs.findIndex(differs) + 1,
    });
  }

  plus(other: Tally): Tally {
    const { firstMismatch: next } = other;
    return new Tally({
      pairs: this.pairs + other.pairs,
      allowed: this.allowed + other.allowed,
      mismatchCount: this.mismatchCount + other.mismatchCount,
      mismatches: [...this.mismatches, ...other.mismatches].slice(0, 100),
      firstMismatch: this.firstMismatch ?? (next === undefined ? undefined : this.pairs + next),
    });
  }
}

/** Neither verdict is a corner. */
export function isBalanced({ pairs, allowed }: Tally): boolean {
  return allowed >= 0.3 * pairs && allowed <= 0.7 * pairs;
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
export function comparable({ verdict, step, by, audit, dryRun }: Outcome): Outcome {
  return {
    verdict,
    step,
    by,
    audit,
    dryRun: dryRun.filter(({ action }) => verdict === 'allow' || at[action] < at[step]),
  };
}
