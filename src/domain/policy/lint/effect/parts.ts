import { formatPath, type YamlPath } from '../../../../yaml/index.ts';
import type { AuthorizationRule } from '../../model.ts';

/** An entry of a rule's `from`, `to` or `when`; with a name one of its lists; with a number too one of that list's values. */
export interface Part {
  readonly part: 'from' | 'to' | 'when';
  readonly index: number;
  readonly name?: string;
  readonly value?: number;
}

export interface ListPart extends Part {
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
  /** Of a condition. */
  readonly key?: string;
}

/** All lists of a rule in which there is something. */
export function listsOf(rule: AuthorizationRule): readonly ListPart[] {
  const of = (part: Part['part'], index: number, given: object): readonly ListPart[] =>
    Object.entries(given).flatMap(([name, values]: [string, unknown]) =>
      isList(values) && values.length > 0
        ? [
            {
              part,
              index,
              name,
              values,
              negated: name.startsWith('not'),
              ...('key' in given ? { key: String(given.key) } : {}),
            },
          ]
        : [],
    );
  return (['from', 'to', 'when'] as const).flatMap((part) =>
    rule[part].flatMap((given, index) => of(part, index, given)),
  );
}

function isList(values: unknown): values is readonly string[] {
  return Array.isArray(values);
}

/** Parts of one rule. */
export class PartSet {
  readonly #whole = new Set<string>();
  readonly #values = new Map<string, Set<number>>();

  constructor(...parts: readonly Part[]) {
    for (const part of parts) this.add(part);
  }

  add(part: Part): void {
    const key = keyOf(part);
    if (part.value === undefined) this.#whole.add(key);
    else if (!this.#values.get(key)?.add(part.value)) this.#values.set(key, new Set([part.value]));
  }

  /** Whether it is in the set by itself, or with the entry or the list that it is of. */
  has({ part, index, name, value }: Part): boolean {
    const isWhole = (one: Part) => this.#whole.has(keyOf(one));
    if (isWhole({ part, index }) || (name !== undefined && isWhole({ part, index, name }))) return true;
    return (
      value !== undefined && this.valuesOf({ part, index, ...(name !== undefined && { name }) }).has(value)
    );
  }

  /** The values of a list that are in it by themselves. */
  valuesOf(list: Part): ReadonlySet<number> {
    return this.#values.get(keyOf(list)) ?? noValues;
  }

  copy(): PartSet {
    const copied = new PartSet();
    for (const key of this.#whole) copied.#whole.add(key);
    for (const [key, values] of this.#values) copied.#values.set(key, new Set(values));
    return copied;
  }
}

const noValues: ReadonlySet<number> = new Set();

/** Of an entry or a list; a value is by the number in it. */
function keyOf({ part, index, name = '' }: Part): string {
  return `${part} ${index} ${name}`;
}

export function isSamePart(a: Part, b: Part): boolean {
  return isOfSameList(a, b) && a.value === b.value;
}

export function isOfSameList(a: Part, b: Part): boolean {
  return a.part === b.part && a.index === b.index && a.name === b.name;
}

/** What of a rule is looked at, beside what is gone of it. */
export interface View {
  readonly gone: PartSet;
  /** One part more that is not there. */
  readonly without?: Part;
  /** Of the entries beside this one, and of the values beside this one, none is there. */
  readonly only?: Part | undefined;
}

/** A rule as it is without some parts. */
export function reduced(rule: AuthorizationRule, view: View): AuthorizationRule {
  const entries = <T extends object>(part: Part['part'], given: readonly T[]): readonly T[] =>
    given.flatMap((lists, index) =>
      isKept({ part, index }, view) ? [viewed(lists, { part, index }, view)] : [],
    );
  return { from: entries('from', rule.from), to: entries('to', rule.to), when: entries('when', rule.when) };
}

/** Of an entry or a list. */
function isKept(one: Part, { gone, without, only }: View): boolean {
  if (gone.has(one) || (without && isSamePart(without, one))) return false;
  return one.part === 'when' || only?.part !== one.part || only.index === one.index;
}

function viewed<T extends object>(lists: T, entry: Part, view: View): T {
  const left = Object.entries(lists).map(([name, values]: [string, unknown]) => [
    name,
    isList(values) ? valuesLeft(values, { ...entry, name }, view) : values,
  ]);
  return { ...lists, ...Object.fromEntries(left) };
}

function valuesLeft(values: readonly string[], list: Part, view: View): readonly string[] {
  if (values.length === 0 || !isKept(list, view)) return [];
  const { without, only } = view;
  const gone = view.gone.valuesOf(list);
  const wanted = only && isOfSameList(only, list) ? only.value : undefined;
  if (wanted !== undefined) return gone.has(wanted) ? [] : values.slice(wanted, wanted + 1);
  const unwanted = without && isOfSameList(without, list) ? without.value : undefined;
  if (gone.size === 0) return unwanted === undefined ? values : values.toSpliced(unwanted, 1);
  return values.filter((_, at) => at !== unwanted && !gone.has(at));
}

/** A rule that asks for what a value of one of its `not` lists excludes, for who looks for a request that it matters to. */
export function included(
  rule: AuthorizationRule,
  { part, index, name = '' }: Part,
  value: string,
): AuthorizationRule {
  const positive = name.replace(/^not./, (text) => text.slice(3).toLowerCase());
  const only = <T extends object>(given: readonly T[]): readonly T[] =>
    given.map((lists, at) => (at === index ? { ...lists, [positive]: [value] } : lists));
  return {
    ...rule,
    [part]:
      part === 'when'
        ? only(rule.when)
        : part === 'from'
          ? only(rule.from).slice(index, index + 1)
          : only(rule.to).slice(index, index + 1),
  };
}

/** Where a part stands in its policy. @param at the rule */
export function pathOf(part: Part, at: number): YamlPath {
  return ['spec', 'rules', at, ...placeOf(part)];
}

function placeOf({ part, index, name, value }: Part): YamlPath {
  const inner = part === 'from' ? ['source'] : part === 'to' ? ['operation'] : [];
  return [
    part,
    index,
    ...(name === undefined ? [] : [...inner, name]),
    ...(value === undefined ? [] : [value]),
  ];
}

/** As in `from[0].source.namespaces (shop)`. */
export function partText(part: ListPart): string {
  const few = part.values.slice(0, 3).join(', ');
  const more = part.values.length > 3 ? `, and ${part.values.length - 3} more` : '';
  const key = part.key === undefined ? '' : ` of ${part.key}`;
  return `${formatPath(placeOf(part))}${key} (${few}${more})`;
}
