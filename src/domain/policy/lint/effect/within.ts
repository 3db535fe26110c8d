import type { AuthorizationPolicy, AuthorizationRule } from '../../model.ts';
import type { Remark } from '../context.ts';
import { type Asking, everywhere } from './asking.ts';
import {
  included,
  isOfSameList,
  isSamePart,
  type ListPart,
  listsOf,
  type Part,
  PartSet,
  partText,
  pathOf,
  reduced,
  type View,
} from './parts.ts';

/** What a rule holds in vain, whatever else there is. */
export interface Within {
  /** Whether nothing can match the rule; undefined where it cannot be told. */
  readonly isDead: boolean | undefined;
  readonly remarks: readonly Remark[];
  /** Its parts without effect. */
  readonly vain: PartSet;
}

/** Looks at one rule by itself. */
export function withinRule(policy: AuthorizationPolicy, at: number, asking: Asking): Within {
  const rule = policy.rules[at];
  if (!rule) return { isDead: undefined, remarks: [], vain: new PartSet() };
  const looking = new Looking(policy, at, rule, asking);
  const found = looking.matchesAnything(rule);
  if (found !== false) {
    looking.entries();
    looking.values();
    looking.lists();
  }
  return {
    isDead: found === undefined ? undefined : !found,
    remarks: found === false ? [looking.contradiction('rule')] : looking.remarks,
    vain: looking.vain,
  };
}

class Looking {
  readonly remarks: Remark[] = [];
  readonly vain = new PartSet();
  readonly #policy: AuthorizationPolicy;
  readonly #at: number;
  readonly #rule: AuthorizationRule;
  readonly #asking: Asking;

  constructor(policy: AuthorizationPolicy, at: number, rule: AuthorizationRule, asking: Asking) {
    this.#policy = policy;
    this.#at = at;
    this.#rule = rule;
    this.#asking = asking;
  }

  /** Undefined where it cannot be told. */
  matchesAnything(rule: AuthorizationRule): boolean | undefined {
    return this.#beyond(rule, []);
  }

  /** Whether one way to write the rule matches what another does not. */
  #beyond(
    rule: AuthorizationRule,
    others: readonly AuthorizationRule[],
    like?: AuthorizationRule,
  ): boolean | undefined {
    const of = (each: AuthorizationRule) => ({ policy: { ...this.#policy, rules: [each] }, rule: 0 });
    const found = this.#asking.besideAnywhere(of(rule), others.map(of), everywhere, like);
    return found === 'unknown' ? undefined : found !== 'nothing';
  }

  /** Of a rule's sources and operations those that nothing matches, or that others say as well. */
  entries(): void {
    for (const part of ['from', 'to'] as const)
      for (const index of [...this.#rule[part].keys()].toReversed())
        if (this.#rule[part].length > 1) this.#judge({ part, index }, this.#rule[part].length);
  }

  /** Of each list the values that add nothing, or take nothing away. */
  values(): void {
    for (const list of listsOf(this.#rule)) {
      if (this.vain.has(placeOf(list))) continue;
      if (list.negated) this.#exclusions(list);
      else if (list.values.length > 1)
        for (const value of [...list.values.keys()].toReversed())
          this.#judge({ ...placeOf(list), value }, list.values.length);
    }
  }

  /** Lists that everything matches that the rest of the rule does. */
  lists(): void {
    const lists = listsOf(this.#rule).filter(({ negated }) => !negated);
    for (const list of lists.toReversed()) {
      const part = placeOf(list);
      if (this.vain.has(part)) continue;
      if (this.#beyond(this.#view({ without: part }), [this.#view()]) !== false) continue;
      this.#tell(part, 'value-without-effect', {
        message: `whatever matches the rest of this rule matches ${partText(list)} too: it narrows nothing`,
        mend: 'leave it out, or write what was meant',
      });
    }
  }

  /** The rule without what is in vain, and what else is not looked at. */
  #view(view: Omit<View, 'gone'> = {}): AuthorizationRule {
    return reduced(this.#rule, { gone: this.vain, ...view });
  }

  /** Whether an alternative of several adds anything. @param of how many there are, those without effect counted */
  #judge(part: Part, of: number): void {
    if (this.#asking.isStuck) return;
    const alone = this.#view({ only: part });
    const siblings = () =>
      Array.from({ length: of }, (_, number) => sibling(part, number)).filter(
        (each) => !isSamePart(each, part) && !this.vain.has(each),
      );
    const others = this.#view({ without: part });
    if (this.#beyond(alone, [others]) !== false) return;
    // For bytes, an ALLOW that asks for what HTTP alone has lets nobody in: without an entry it may ask for that no more.
    if (part.value === undefined && this.#beyond(others, [this.#view()]) !== false) return;
    // The last one is what its list or rule asks for.
    if (siblings().length === 0) return;
    const isValue = part.value !== undefined;
    if (this.matchesAnything(alone) === false) {
      const remark = this.contradiction(isValue ? 'value' : 'entry', part);
      this.vain.add(part);
      this.remarks.push({ ...remark, rule: 'value-without-effect' });
      return;
    }
    const one = siblings().find((each) => this.#beyond(alone, [this.#view({ only: each })]) === false);
    const name = one && (isValue ? this.#textOf(one) : `${one.part}[${one.index}]`);
    this.#tell(part, 'value-without-effect', {
      message: `${name ?? 'the rest of the rule'} matches all that this ${isValue ? 'value' : 'entry'} does: without it the rule matches the same`,
      mend: 'leave it out, or write what was meant',
    });
  }

  #textOf({ part, index, name, value = 0 }: Part): string {
    const list = listsOf(this.#rule).find(
      (each) => each.part === part && each.index === index && each.name === name,
    );
    return JSON.stringify(list?.values[value] ?? '');
  }

  #exclusions(list: ListPart): void {
    const vain = [...list.values.keys()].toReversed().filter((value) => {
      if (this.#asking.isStuck) return false;
      const part = { ...placeOf(list), value };
      const wider = this.#view({ without: part });
      const including = included(wider, part, list.values[value] ?? '');
      if (this.#beyond(wider, [this.#view()], including) !== false) return false;
      this.vain.add(part);
      return true;
    });
    const isAll = vain.length === list.values.length;
    for (const part of isAll ? [placeOf(list)] : vain.map((value) => ({ ...placeOf(list), value })))
      this.#tell(part, 'value-without-effect', {
        message: `nothing that the rest of the rule matches is excluded by ${isAll ? partText(list) : 'this'}`,
        mend: 'leave it out, or write what was meant',
      });
  }

  #tell(part: Part, rule: string, said: Pick<Remark, 'message' | 'mend'>): void {
    this.vain.add(part);
    this.remarks.push({ policy: this.#policy, rule, path: pathOf(part, this.#at), ...said });
  }

  /** What excludes one another, so that nothing matches; none of it can be left out. @param only of an entry or a value */
  contradiction(what: string, only?: Part): Remark {
    const gone = this.vain.copy();
    const needed = listsOf(this.#rule).filter((list) => {
      if (
        gone.has(placeOf(list)) ||
        (only?.part === list.part && list.part !== 'when' && only.index !== list.index)
      )
        return false;
      const without = placeOf(list);
      if (this.matchesAnything(reduced(this.#rule, { gone, without, only })) !== false) return true;
      gone.add(without);
      return false;
    });
    const texts = needed.map((list) => partText(narrowed(list, only)));
    const why =
      texts.length < 2
        ? `nothing that can arrive is ${texts.join('')}`
        : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)} exclude each other`;
    return {
      policy: this.#policy,
      rule: 'rule-never-matches',
      path: only ? pathOf(only, this.#at) : ['spec', 'rules', this.#at],
      message: `nothing ever matches this ${what}: ${why}`,
      mend: `remove it, or change ${texts.length < 2 ? 'that' : 'one of them'}`,
      because: this.#onlyValue(needed, only),
    };
  }

  /** Where a single value is the reason. */
  #onlyValue([list, ...more]: readonly ListPart[], only: Part | undefined): Remark['because'] {
    if (!list || more.length > 0) return undefined;
    const one = narrowed(list, only);
    if (one.values.length > 1 || one.negated) return undefined;
    return pathOf({ ...placeOf(list), value: list === one ? 0 : (only?.value ?? 0) }, this.#at);
  }
}

/** As a list is where one of its values alone is looked at. */
function narrowed(list: ListPart, only: Part | undefined): ListPart {
  return only && isOfSameList(only, list) && only.value !== undefined
    ? { ...list, values: list.values.slice(only.value, only.value + 1) }
    : list;
}

function placeOf({ part, index, name }: ListPart): Part & { readonly name: string } {
  return { part, index, name };
}

/** Another of the same list, or another entry. */
function sibling({ part, index, name, value }: Part, number: number): Part {
  if (value === undefined) return { part, index: number };
  return { part, index, ...(name === undefined ? {} : { name }), value: number };
}
