import type { AuthorizationRule } from '../../src/domain/policy/index.ts';

/** What a path within a policy names: a rule, an entry of it, a list, a value. */
export interface ToldPart {
  readonly rule: number | undefined;
  readonly part: 'from' | 'to' | 'when' | undefined;
  readonly entry: number;
  readonly list: string | undefined;
  readonly value: number | undefined;
}

const form =
  /^spec(?:\.rules\[(\d+)\](?:\.(from|to|when)\[(\d+)\](?:(?:\.source|\.operation)?\.(\w+)(?:\[(\d+)\])?)?)?)?$/;

export function partOf(path: string): ToldPart {
  const [, rule, part, entry = '0', list, value] = form.exec(path) ?? [];
  return {
    rule: rule === undefined ? undefined : Number(rule),
    part: part === 'from' || part === 'to' || part === 'when' ? part : undefined,
    entry: Number(entry),
    list,
    value: value === undefined ? undefined : Number(value),
  };
}

/** All that can be left out of a rule and leaves it a rule: entries and values beside others, and lists. */
export function partsOf(rule: AuthorizationRule): readonly ToldPart[] {
  return (['from', 'to', 'when'] as const).flatMap((part) => {
    const given: readonly object[] = rule[part];
    return given.flatMap((lists, entry): readonly ToldPart[] => {
      const whole = { rule: undefined, part, entry, list: undefined, value: undefined };
      const filled = Object.entries(lists).flatMap(([list, values]: [string, unknown]) =>
        Array.isArray(values) && values.length > 0 ? [{ list, count: values.length }] : [],
      );
      const inner = filled.flatMap(({ list, count }) => [
        { ...whole, list },
        ...(count < 2 ? [] : Array.from({ length: count }, (_, value) => ({ ...whole, list, value }))),
      ]);
      return part !== 'when' && given.length > 1 ? [whole, ...inner] : inner;
    });
  });
}

/** Whether a part is another one, or of it. */
export function isWithin(part: ToldPart, whole: ToldPart): boolean {
  return (
    part.part === whole.part &&
    part.entry === whole.entry &&
    (whole.list === undefined || whole.list === part.list) &&
    (whole.value === undefined || whole.value === part.value)
  );
}

/** Whether two are entries of one rule, or values of one list. */
export function isBeside(one: ToldPart, other: ToldPart): boolean {
  return (
    one.part === other.part &&
    one.list === other.list &&
    (one.list === undefined
      ? one.entry !== other.entry
      : one.value !== undefined && one.entry === other.entry && one.value !== other.value)
  );
}

/** A rule without some parts of it, all at once. */
export function without(rule: AuthorizationRule, parts: readonly ToldPart[]): AuthorizationRule {
  const isGone = (wanted: Omit<ToldPart, 'rule'>) =>
    parts.some(
      ({ part, entry, list, value }) =>
        part === wanted.part && entry === wanted.entry && list === wanted.list && value === wanted.value,
    );
  const left = <T extends object>(part: 'from' | 'to' | 'when', given: readonly T[]): readonly T[] =>
    given.flatMap((lists, entry) => {
      if (isGone({ part, entry, list: undefined, value: undefined })) return [];
      const kept = Object.entries(lists).map(([list, values]: [string, unknown]) => {
        if (!Array.isArray(values)) return [list, values];
        if (isGone({ part, entry, list, value: undefined })) return [list, []];
        return [list, values.filter((_, value) => !isGone({ part, entry, list, value }))];
      });
      return [{ ...lists, ...Object.fromEntries(kept) }];
    });
  return { from: left('from', rule.from), to: left('to', rule.to), when: left('when', rule.when) };
}

/** A rule that says of all its alternatives only one. */
export function only(rule: AuthorizationRule, { part, entry, list, value }: ToldPart): AuthorizationRule {
  if (part === undefined) return rule;
  const one =
    list === undefined || value === undefined
      ? rule
      : changed(rule, part, entry, list, (values) => values.slice(value, value + 1));
  return part === 'when' ? one : { ...one, [part]: one[part].slice(entry, entry + 1) };
}

function changed(
  rule: AuthorizationRule,
  part: 'from' | 'to' | 'when',
  entry: number,
  list: string,
  change: (values: readonly string[]) => readonly string[],
): AuthorizationRule {
  const given = rule[part].map((lists, at) => {
    if (at !== entry) return lists;
    const own = new Map<string, readonly string[]>(Object.entries(lists)).get(list) ?? [];
    return { ...lists, [list]: change(own) };
  });
  return { ...rule, [part]: given };
}
