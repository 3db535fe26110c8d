import { type Decision, decide } from '../decide/index.ts';
import type { AuthorizationPolicy } from '../model.ts';
import { policyKey } from '../read/index.ts';
import type { PolicyWorld } from '../world/index.ts';
import { TooMuch } from './budget.ts';
import { mustBe } from './decided.ts';
import { Engine } from './engine.ts';
import { type Formula, never } from './formulas.ts';
import type { ExactLimits, PortProtocol, Witness } from './model.ts';
import { ruleFormula } from './outcome.ts';
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
  | { readonly answer: 'unknown' };

/** A port that no policy names. */
const unnamed = 'other';

/**
 * Questions about rules by themselves, whatever else holds: whether one can match at all, and whether it matches anything
 * that others leave. Rules of policies of any namespaces can be asked about together.
 */
export class RuleQuestions {
  readonly #world: PolicyWorld;
  readonly #engine: Engine;

  constructor(world: PolicyWorld, limits: Partial<ExactLimits> = {}) {
    this.#world = world;
    this.#engine = new Engine(world, limits);
  }

  /** Whether there is any request that the rule matches. */
  canMatch(rule: RuleOf, protocol: PortProtocol): RuleAnswer {
    return this.matchesBeside(rule, [], protocol);
  }

  /** Whether the rule matches anything that none of the others does: if not, they cover it. */
  matchesBeside(rule: RuleOf, others: readonly RuleOf[], protocol: PortProtocol): RuleAnswer {
    const engine = this.#engine;
    const { formulas } = engine.vocabulary;
    const ports = new Set<number | typeof unnamed>([
      ...namedPorts([...new Set([rule, ...others].map(({ policy }) => policy))]),
      unnamed,
    ]);
    engine.budget.grant(engine.limits.stepsOfGroup);
    try {
      for (const port of ports) {
        const of = (each: RuleOf) => this.#formula(each, protocol, port);
        const alone = formulas.and([of(rule), ...others.map((each) => formulas.not(of(each)))]);
        const { diff } = engine.differences(never, alone);
        const [found] = regionsOf(engine.vocabulary, diff, 1).regions;
        if (!found) continue;
        const number = port === unnamed ? freePort(ports) : port;
        const defaults = { workload: { addresses: [] }, port: number };
        const witness = witnessOf(found.samples, engine.defaults(defaults, protocol));
        this.#mustMatch(rule, others, witness, protocol);
        return { answer: 'yes', witness };
      }
      return { answer: 'no' };
    } catch (error) {
      if (error instanceof TooMuch) return { answer: 'unknown' };
      throw error;
    }
  }

  #formula({ policy, rule: at }: RuleOf, protocol: PortProtocol, port: number | typeof unnamed): Formula {
    const rule = policy.rules[at];
    if (!rule) return never;
    const { vocabulary } = this.#engine;
    vocabulary.owner = policyKey({ ...policy.meta, kind: policy.kind });
    const reading = { vocabulary, mesh: this.#world.settings, port, early: policy.action === 'CUSTOM' };
    return ruleFormula(rule, policy, protocol === 'tcp', reading);
  }

  /** Asked of the decision function too, of each rule as a dry run, which looks at nothing but the rule. */
  #mustMatch(rule: RuleOf, others: readonly RuleOf[], witness: Witness, protocol: PortProtocol): void {
    const matches = ({ policy, rule: at }: RuleOf): boolean => {
      const alone = { ...policy, dryRun: true, rules: policy.rules.slice(at, at + 1) };
      const { dryRun }: Decision = decide([alone], witness.request, {
        ...this.#world.settings,
        tcp: protocol === 'tcp',
        customVerdicts: new Map(),
      });
      return dryRun.some(({ by }) => by !== undefined);
    };
    const isRight = matches(rule) && !others.some(matches);
    mustBe({ verdict: isRight ? 'allow' : 'deny', step: 'default', by: undefined }, 'allow', witness);
  }
}

function freePort(named: ReadonlySet<unknown>): number {
  let port = 12_345;
  while (named.has(port)) port += 1;
  return port;
}
