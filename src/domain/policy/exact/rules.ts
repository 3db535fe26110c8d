import { ruleMatcher } from '../decide/index.ts';
import type { AuthorizationPolicy, MutualTlsMode } from '../model.ts';
import { policyKey } from '../read/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { type Budget, TooMuch } from './budget.ts';
import { mustBe } from './decided.ts';
import { Engine } from './engine.ts';
import { type Formula, never } from './formulas.ts';
import type { ExactLimits, PortOf, PortProtocol, Witness } from './model.ts';
import { ruleFormula, takenFormula } from './outcome.ts';
import { namedPorts } from './places.ts';
import { regionsOf } from './regions.ts';
import { witnessOf } from './witness.ts';

/** One rule, counted from 0. */
export interface RuleOf {
  readonly policy: AuthorizationPolicy;
  readonly rule: number;
}

/** `no` is proven; a witness is a request that shows the contrary. `unknown`: there are too many ways to look at. */
export type RuleAnswer =
  | { readonly answer: 'no' }
  | { readonly answer: 'yes'; readonly witness: Witness }
  /** By the policies that can hold together in too many ways. */
  | { readonly answer: 'unknown'; readonly policies: readonly string[] };

/** Where it is asked: on any port, however it is called, or on one as it takes connections. */
export interface RulePlace {
  readonly protocol: PortProtocol;
  readonly at?: PortOfRule | undefined;
}

/** On one port, as it takes connections. */
export interface PortPlace extends RulePlace {
  readonly at: PortOfRule;
}

export interface PortOfRule {
  readonly port: PortOf['port'];
  readonly mode: Exclude<MutualTlsMode, 'UNSET'>;
  /** Whether any token is looked at: else nobody has claims. */
  readonly takesTokens: boolean;
}

/** A port that no policy names. */
const unnamed = 'other';

/**
 * Questions about rules by themselves, whatever else holds: whether one can match at all, and whether it matches anything
 * that others leave. Rules of policies of any namespaces can be asked about together.
 */
export class RuleQuestions {
  readonly #world: PolicyWorld;
  readonly #engine: Engine;

  /** @param budget of several of these together, in the place of `limits.steps` */
  constructor(world: PolicyWorld, limits: Partial<ExactLimits> = {}, budget?: Budget) {
    this.#world = world;
    this.#engine = new Engine(world, limits, budget && { budget });
  }

  /** Whether there is any request that the rule matches. */
  canMatch(rule: RuleOf, protocol: PortProtocol): RuleAnswer {
    return this.matchesBeside(rule, [], protocol);
  }

  /** Whether the rule matches anything that none of the others does: if not, they cover it. */
  matchesBeside(rule: RuleOf, others: readonly RuleOf[], where: PortProtocol | RulePlace): RuleAnswer {
    const engine = this.#engine;
    const { formulas } = engine.vocabulary;
    const { protocol, at }: RulePlace = typeof where === 'string' ? { protocol: where } : where;
    const named = namedPorts([...new Set([rule, ...others].map(({ policy }) => policy))]);
    const ports = new Set<PortOf['port']>(at ? [at.port] : [...named, unnamed]);
    engine.budget.grant(engine.limits.stepsOfGroup);
    try {
      for (const port of ports) {
        const of = (each: RuleOf) => this.#formula(each, protocol, port, at?.takesTokens ?? true);
        const alone = formulas.and([
          takenFormula(engine.vocabulary, at?.mode ?? 'PERMISSIVE'),
          of(rule),
          ...others.map((each) => formulas.not(of(each))),
        ]);
        const { diff } = engine.differences(never, alone);
        const [found] = regionsOf(engine.vocabulary, diff, 1).regions;
        if (!found) continue;
        const number = port === unnamed ? freePort(named) : port;
        const defaults = { workload: { addresses: [] }, port: number };
        const witness = witnessOf(found.samples, engine.defaults(defaults, protocol));
        this.#mustMatch(rule, others, witness, protocol);
        return { answer: 'yes', witness };
      }
      return { answer: 'no' };
    } catch (error) {
      if (error instanceof TooMuch) return { answer: 'unknown', policies: engine.tangledIn(error) };
      throw error;
    }
  }

  #formula(
    { policy, rule: at }: RuleOf,
    protocol: PortProtocol,
    port: PortOf['port'],
    takesTokens: boolean,
  ): Formula {
    const rule = policy.rules[at];
    if (!rule) return never;
    const { vocabulary } = this.#engine;
    vocabulary.owner = policyKey({ ...policy.meta, kind: policy.kind });
    const reading = {
      vocabulary,
      mesh: this.#world.settings,
      port,
      early: policy.action === 'CUSTOM',
      taken: takesTokens ? undefined : never,
    };
    return ruleFormula(rule, policy, protocol === 'tcp', reading);
  }

  /** Asked of the decision function too. */
  #mustMatch(rule: RuleOf, others: readonly RuleOf[], witness: Witness, protocol: PortProtocol): void {
    const context = { ...this.#world.settings, tcp: protocol === 'tcp' };
    const matching = ruleMatcher(witness.request, context);
    const matches = ({ policy, rule: at }: RuleOf) => matching(policy, at);
    const isRight = matches(rule) && !others.some(matches);
    mustBe({ verdict: isRight ? 'allow' : 'deny', step: 'default', by: undefined }, 'allow', witness);
  }
}

function freePort(named: ReadonlySet<unknown>): number {
  let port = 12_345;
  while (named.has(port)) port += 1;
  return port;
}
