import type { Policy } from '../../model.ts';
import { beyond } from './beyond.ts';
import { type Carrier, carriersOf, headerLists } from './carriers.ts';
import { type TokenRule, type WrittenTokenRule, writtenRules } from './rules.ts';

/** One port's rules for tokens before and after. */
export interface TokenChange {
  readonly before: readonly TokenRule[];
  readonly after: readonly TokenRule[];
  /** Headers for tokens at which policies look. */
  readonly carriers: readonly Carrier[];
}

/**
 * What changes for requests that bring one token or none.
 * @returns a text where that is more than is worked out: why
 */
export function tokenChange(before: readonly Policy[], after: readonly Policy[]): TokenChange | string {
  const [was, is] = [writtenRules(before), writtenRules(after)];
  const reason = beyond({ policies: before, rules: was }, { policies: after, rules: is });
  if (reason !== undefined) return reason;
  const names = namesOf([...was, ...is]);
  const named = (rules: readonly WrittenTokenRule[]) =>
    rules.map((rule): TokenRule => ({ ...rule, keys: rule.keys.map(({ id }) => names.get(id) ?? id) }));
  const carriers = carriersOf([...was, ...is], [...before, ...after]);
  return { before: named(was), after: named(is), carriers };
}

/** Whether policies look at headers in which tokens come, or which are made of them. */
export function readTokenHeaders(...sides: readonly (readonly Policy[])[]): boolean {
  const policies = sides.flat();
  const rules = writtenRules(policies);
  const made = new Set(rules.flatMap(({ outputs }) => outputs.map(({ header }) => header)));
  return carriersOf(rules, policies).length > 0 || headerLists(policies).some(({ name }) => made.has(name));
}

/** Of each key another one, by identifier. */
function namesOf(rules: readonly WrittenTokenRule[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const { id, name } of rules.flatMap(({ keys }) => keys)) {
    if (names.has(id)) continue;
    let own = name;
    for (let number = 2; taken.has(own); number += 1) own = `${name} (${number})`;
    taken.add(own);
    names.set(id, own);
  }
  return names;
}
