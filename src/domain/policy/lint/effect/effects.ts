import { comparedParts } from '../../decide/index.ts';
import type { RuleOf } from '../../exact/index.ts';
import type { AuthorizationPolicy, AuthorizationRule } from '../../model.ts';
import { authorizationsOf, type LintContext, type Remark } from '../context.ts';
import { Asking, everywhere } from './asking.ts';
import { Gone } from './gone.ts';
import { isNeedless } from './needless.ts';
import { listsOf, type Part, PartSet, pathOf, reduced } from './parts.ts';
import { type Place, Places } from './places.ts';
import { type Asked, deniedBy, reasonOf } from './reasons.ts';
import {
  changesNothing,
  notProven,
  onAllPorts,
  oneForAll,
  onPorts,
  stillCompared,
  tooMuch,
} from './remarks.ts';
import { sameAction, scopeCovers } from './scope.ts';
import { withinRule } from './within.ts';
import { policiesText, rulesText } from './words.ts';

/**
 * What is written in vain, proven by the exact engine: rules that nothing can match, that others cover, whose calls a DENY
 * takes all, and policies, rules and values without which every request is decided alike. Of rules and policies those that
 * are told may be removed all at once.
 */
export function effects(context: LintContext): readonly Remark[] {
  const judging = new Judging(context);
  const remarks: Remark[] = [];
  // The later of two that say the same goes, and what went is not there for the others.
  for (const policy of authorizationsOf(context.policies).toReversed()) {
    remarks.push(...judging.policy(policy));
    if (!judging.isOver) continue;
    remarks.push(notProven(policy));
    break;
  }
  return remarks;
}

class Judging {
  readonly #context: LintContext;
  readonly #asking: Asking;
  readonly #gone = new Gone();
  readonly #places: Places;
  readonly #wider = new Map<string, readonly RuleOf[]>();

  constructor(context: LintContext) {
    this.#context = context;
    this.#asking = new Asking(context.registry.settings, context.comparisons);
    this.#places = new Places(context);
  }

  get isOver(): boolean {
    return this.#asking.isOver;
  }

  policy(policy: AuthorizationPolicy): readonly Remark[] {
    this.#asking.begin();
    if (this.isOver) return [];
    const places = this.#places.of(policy);
    const rules = policy.rules
      .map((rule, at) => ({ rule, at }))
      .toReversed()
      .map(({ rule, at }) => this.#rule(policy, rule, at, places))
      .toReversed();
    const remarks = rules.flatMap((each) => each.remarks);
    const isToldWhole = rules.length > 0 && rules.every(({ isTold }) => isTold);
    // Of what is told rule by rule the policy stays: an ALLOW without rules is not the same as none.
    const isAll = this.#context.anyMesh !== 'others-too';
    if (isAll && places.length > 0 && !isSayingSo(policy) && !isToldWhole) {
      if (this.#isNeedless(policy, undefined, places)) {
        remarks.push(this.#needlessPolicy(policy, places));
        this.#gone.dropWhole(policy);
      } else if (policy.rules.length > 1)
        for (const at of [...policy.rules.keys()].toReversed())
          if (!rules[at]?.isTold) remarks.push(...this.#needlessRule(policy, at, places));
    }
    if (this.#asking.isUnsure && !this.isOver) remarks.push(tooMuch(policy, this.#asking.tangled));
    return oneForAll(policy, remarks);
  }

  /** What is to be said of one rule, and whether that is of all of it. */
  #rule(policy: AuthorizationPolicy, rule: AuthorizationRule, at: number, places: readonly Place[]) {
    const { isDead, remarks, vain } = withinRule(policy, at, this.#asking);
    const asked: Asked = { asking: this.#asking, gone: this.#gone, places };
    const one = { policy, rule: at };
    if (isDead === true) {
      this.#drop(one, places, []);
      return { isTold: true, remarks };
    }
    // It stays: the DENY has an effect by it.
    const shadowed = this.#shadowed(one, asked);
    if (shadowed) return { isTold: true, remarks: [shadowed] };
    const covered = this.#covered(one);
    if (covered) {
      const isGone = this.#drop(one, places, covered.by);
      return { isTold: true, remarks: [isGone ? covered.remark : stillCompared(covered.remark)] };
    }
    const shadowedParts = isDead === false ? this.#shadowedParts(one, rule, vain, asked) : [];
    return { isTold: false, remarks: [...remarks, ...shadowedParts] };
  }

  /** It is needless, except perhaps that what can be read in two ways is refused for its sake: then it stays. */
  #drop(one: RuleOf, places: readonly Place[], by: readonly RuleOf[]): boolean {
    const others = comparedParts(by.map(alone));
    const isCompared = [...comparedParts([alone(one)])].every((part) => others.has(part));
    const isGone =
      (by.length > 0 && isCompared) || places.length === 0 || this.#isNeedless(one.policy, one.rule, places);
    if (isGone) this.#gone.drop(one);
    return isGone;
  }

  #shadowed(one: RuleOf, asked: Asked): Remark | undefined {
    if (one.policy.action !== 'ALLOW') return undefined;
    const denied = deniedBy(one, asked);
    if (!denied) return undefined;
    return {
      policy: one.policy,
      rule: 'allow-shadowed-by-deny',
      path: ['spec', 'rules', one.rule],
      message: `all that this rule allows is denied by ${policiesText(denied.by)}, ${onPorts(asked.places, this.#context)}`,
      mend: 'remove it, or narrow the DENY',
      witness: denied.witness,
    };
  }

  /** Entries and values of an ALLOW, beside others, of which a DENY takes all. */
  #shadowedParts(
    { policy, rule: at }: RuleOf,
    rule: AuthorizationRule,
    vain: PartSet,
    asked: Asked,
  ): readonly Remark[] {
    if (policy.action !== 'ALLOW') return [];
    const told = new PartSet();
    return alternativesOf(rule).flatMap((part): readonly Remark[] => {
      const { part: where, index } = part;
      if (vain.has(part) || told.has({ part: where, index })) return [];
      const narrow = { policy: { ...policy, rules: [reduced(rule, { gone: vain, only: part })] }, rule: 0 };
      const denied = deniedBy(narrow, asked);
      if (!denied) return [];
      if (part.value === undefined) told.add(part);
      return [
        {
          policy,
          rule: 'allow-shadowed-by-deny',
          path: pathOf(part, at),
          message: `all that this ${part.value === undefined ? 'entry' : 'value'} allows is denied by ${policiesText(denied.by)}, ${onPorts(asked.places, this.#context)}`,
          mend: 'remove it, or narrow the DENY',
          witness: denied.witness,
        },
      ];
    });
  }

  /** Covered by rules that hold wherever it does, whatever workloads there are. */
  #covered(one: RuleOf): { readonly by: readonly RuleOf[]; readonly remark: Remark } | undefined {
    const { policy } = one;
    const rules = this.#widerRules(policy);
    const by = new Map<string, RuleOf>();
    for (const place of everywhere) {
      const found = this.#asking.covering(one, place, (request) =>
        [...by.values(), ...rules].find(
          (each) =>
            (each.policy !== policy || each.rule !== one.rule) &&
            this.#gone.has(each) &&
            this.#asking.matches(each, request, place),
        ),
      );
      if (found === 'unknown' || !('length' in found)) return undefined;
      for (const each of found) by.set(rulesText([each], policy), each);
    }
    const covering = [...by.values()];
    const remark: Remark = {
      policy,
      rule: 'covered-rule',
      path: ['spec', 'rules', one.rule],
      message: `${rulesText(covering, policy)} ${covering.length > 1 ? 'together match' : 'matches'} all that this one matches, ${changesNothing}`,
      mend: `remove this rule, or narrow the other${covering.length > 1 ? 's' : ' one'}`,
    };
    return { by: covering, remark };
  }

  /** Of the same action, that hold wherever a policy does. */
  #widerRules(policy: AuthorizationPolicy): readonly RuleOf[] {
    const { meta, action, provider, dryRun, selector, targetRefs } = policy;
    const key = JSON.stringify([meta.namespace, action, provider, dryRun, selector, targetRefs]);
    const known = this.#wider.get(key);
    if (known) return known;
    const { byNamespace, rootNamespace } = this.#context.index;
    const near = [meta.namespace, rootNamespace].flatMap((name) => byNamespace.get(name) ?? []);
    if (!this.#asking.pay(near.length)) return [];
    const rules = authorizationsOf([...new Set(near)])
      .filter((other) => sameAction(other, policy) && scopeCovers(other, policy, rootNamespace))
      .flatMap((other) => other.rules.map((_, rule): RuleOf => ({ policy: other, rule })));
    this.#wider.set(key, rules);
    return rules;
  }

  #isNeedless(policy: AuthorizationPolicy, rule: number | undefined, places: readonly Place[]): boolean {
    const asked: Asked = { asking: this.#asking, gone: this.#gone, places };
    return isNeedless(policy, rule, asked, this.#context.registry.settings);
  }

  #needlessPolicy(policy: AuthorizationPolicy, places: readonly Place[]): Remark {
    const asked: Asked = { asking: this.#asking, gone: this.#gone, places };
    const reasons = this.#gone.rulesOf(policy).map((one) => reasonOf(one, asked));
    const texts = [...new Set(reasons.map(({ text }) => text))];
    return {
      policy,
      rule: 'policy-without-effect',
      path: ['spec'],
      message: `without this policy every request is decided alike, ${onAllPorts(places, this.#context)}${texts.length === 0 ? '' : `: ${texts.join('; ')}`}`,
      mend: 'remove it, unless it is there for what is still to come',
      witness: reasons.find(({ witness }) => witness)?.witness,
    };
  }

  #needlessRule(policy: AuthorizationPolicy, at: number, places: readonly Place[]): readonly Remark[] {
    if (!this.#isNeedless(policy, at, places)) return [];
    const one = { policy, rule: at };
    const { text, witness } = reasonOf(one, { asking: this.#asking, gone: this.#gone, places });
    this.#gone.drop(one);
    return [
      {
        policy,
        rule: 'rule-without-effect',
        path: ['spec', 'rules', at],
        message: `without this rule every request is decided alike, ${onAllPorts(places, this.#context)}: ${text}`,
        mend: 'remove it, or narrow the others',
        witness,
      },
    ];
  }
}

function alone({ policy, rule }: RuleOf): AuthorizationPolicy {
  return { ...policy, rules: policy.rules.slice(rule, rule + 1) };
}

/** An ALLOW of nobody or of everybody is there to be read, and for workloads and policies to come. */
function isSayingSo({ action, rules }: AuthorizationPolicy): boolean {
  const isEverything = ({ from, to, when }: AuthorizationRule) => from.length + to.length + when.length === 0;
  return action === 'ALLOW' && (rules.length === 0 || rules.some(isEverything));
}

/** Of a rule all that it says beside something else of the kind. */
function alternativesOf(rule: AuthorizationRule): readonly Part[] {
  const entries = (['from', 'to'] as const).flatMap((part) =>
    rule[part].length > 1 ? [...rule[part].keys()].map((index) => ({ part, index })) : [],
  );
  const values = listsOf(rule).flatMap((list) =>
    list.negated || list.values.length < 2
      ? []
      : [...list.values.keys()].map((value) => ({
          part: list.part,
          index: list.index,
          name: list.name,
          value,
        })),
  );
  return [...entries, ...values];
}
