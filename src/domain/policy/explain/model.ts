import type { YamlPlace } from '../../../yaml/index.ts';
import type { DecisionStep, RequestPart } from '../decide/index.ts';
import type { AuthorizationAction, PolicyKind } from '../model.ts';
import type { RequestAttribute } from './attributes.ts';

/** An object of the policy language, and where it was written. */
export interface PolicyReference {
  readonly kind: PolicyKind;
  readonly namespace: string;
  readonly name: string;
  /** A file, or `kubernetes/<cluster>`, or `store`. */
  readonly source: string;
  /** Where the object begins, from 1; absent where its source has no text. */
  readonly line?: number;
}

/** `depends`: on what is not known of the request. */
export type Outcome = 'matches' | 'misses' | 'depends';

/** What became of one attribute that a rule speaks of. */
export interface FieldFinding {
  readonly outcome: Outcome;
  /**
   * What decided: `spec.rules[0].to[0].operation.paths[1]` where one entry did, its list where the request has nothing of
   * what the list asks for.
   */
  readonly path: string;
  /** Of `path`; absent where the policy was not read from a text at hand. */
  readonly place?: YamlPlace;
  /** As the author calls it: `methods`, or the key of a condition. */
  readonly name: string;
  /** One of these must match, where there are any. */
  readonly wanted: readonly string[];
  /** None of these may. */
  readonly unwanted: readonly string[];
  /** The entry that decided, where one did: of `wanted`, or of `unwanted`, which then excludes the request. */
  readonly entry: string | undefined;
  /** What the request has, as it is compared; empty: it lacks it; undefined: that is not known. */
  readonly came: readonly string[] | undefined;
  readonly unknown: readonly RequestAttribute[];
  /** The port is not HTTP, so that this cannot be compared: an ALLOW then never matches, all else does without it. */
  readonly needsHttp: boolean;
}

/** What became of one rule. Of several `from`, or `to`, the fields of that one which comes closest. */
export interface RuleFinding {
  readonly policy: PolicyReference;
  /** From 0. */
  readonly rule: number;
  readonly action: AuthorizationAction;
  readonly outcome: Outcome;
  /** `spec.rules[0]`. */
  readonly path: string;
  readonly place?: YamlPlace;
  readonly fields: readonly FieldFinding[];
}

/** Why a request has no form that policies can be compared with. */
export type PathRefusal = 'no-canonical-form' | RequestPart;

export interface StepFinding {
  readonly step: Exclude<DecisionStep, 'default'> | 'AUDIT';
  /** `passes`: nothing here keeps the request from the next step. */
  readonly outcome: 'passes' | 'denies' | 'allows' | 'depends';
  /** Whether the request came so far; what later steps would have said is told all the same. */
  readonly reached: boolean;
  /** How many policies of this action hold here; those of a dry run not among them. */
  readonly policies: number;
  /** Rules that match, and those that may, in the order in which a proxy takes them. */
  readonly rules: readonly RuleFinding[];
  /** The one of them that decided. */
  readonly by?: RuleFinding;
  readonly refusal?: PathRefusal;
  /** CUSTOM alone: providers that are asked, and what each says; undefined: it was not said what. */
  readonly providers?: readonly ProviderFinding[];
}

export interface ProviderFinding {
  readonly name: string;
  /** `missing`: nobody can be asked, which is a denial. */
  readonly answer: 'allow' | 'deny' | 'missing' | undefined;
}

/** What policies decide of a request, and why. */
export interface Explanation {
  readonly verdict: 'allow' | 'deny' | 'depends';
  /** The step that decided, for certain; `default`: no policy speaks of it. */
  readonly step: DecisionStep | undefined;
  /** The rule that decided; none where no ALLOW matched, and where a path has no canonical form. */
  readonly by: RuleFinding | undefined;
  /** In the order in which they decide. */
  readonly steps: readonly StepFinding[];
  /** Where no ALLOW matched: the rules that missed by least, the nearest first. */
  readonly near: readonly RuleFinding[];
  /** ALLOW policies without a rule, which match nothing. */
  readonly withoutRules: readonly PolicyReference[];
  /** What the verdict hangs on, and is not known. */
  readonly dependsOn: {
    readonly attributes: readonly RequestAttribute[];
    readonly providers: readonly string[];
  };
  /** Of what is not known, what is taken to be of a form that policies can be compared with. */
  readonly takenAsPlain: readonly RequestPart[];
  /** Dry runs that match: they decide nothing. */
  readonly dryRun: readonly RuleFinding[];
  /** The path as policies compare it; absent where it is not known, or is none. */
  readonly path?: string;
}
