import type { Alternative, Constraint, PatternList, Region, Witness } from '../exact/index.ts';

/** A region, and one of its requests. */
export interface Way {
  readonly region: Region;
  readonly witness: Witness;
}

/**
 * The same requests in fewer regions: two that differ in one attribute alone are one, in which it is as either of them says.
 * What an answer is worked out by are cuts, one attribute after another; a reader wants none that make no difference.
 */
export function mergedWays(ways: readonly Way[]): readonly Way[] {
  const merged = new MergedWays();
  for (const [at, way] of ways.entries()) merged.add(at, way);
  return merged.all;
}

/** Each way stands where its first part stood. */
class MergedWays {
  readonly #ways = new Map<number, Way>();
  /** By what a way is in all attributes but one: with another one of which the same holds it is one. */
  readonly #places = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  readonly #constraints = new WeakMap<Constraint, readonly [name: number, whole: number]>();

  get all(): readonly Way[] {
    return [...this.#ways].toSorted(([a], [b]) => a - b).map(([, way]) => way);
  }

  add(at: number, way: Way): void {
    const keys = this.#keysOf(way);
    for (const [name, key] of keys) {
      const place = this.#places.get(key);
      const partner = place === undefined ? undefined : this.#ways.get(place);
      if (place === undefined || partner === undefined) continue;
      this.#remove(place, partner);
      this.add(Math.min(place, at), {
        region: joined(partner.region, way.region, name),
        witness: partner.witness,
      });
      return;
    }
    this.#ways.set(at, way);
    for (const [, key] of keys) this.#places.set(key, at);
  }

  #remove(place: number, way: Way): void {
    this.#ways.delete(place);
    for (const [, key] of this.#keysOf(way)) this.#places.delete(key);
  }

  #keysOf({ region: { constraints } }: Way): readonly (readonly [name: string, key: string])[] {
    const numbers = constraints.map((constraint) => this.#numbersOf(constraint));
    return constraints.map(({ attribute }, at) => {
      const others = numbers.flatMap(([, whole], index) => (index === at ? [] : [whole]));
      return [JSON.stringify(attribute), [numbers[at]?.[0], ...others.toSorted((a, b) => a - b)].join(' ')];
    });
  }

  #numbersOf(constraint: Constraint): readonly [name: number, whole: number] {
    const known = this.#constraints.get(constraint);
    if (known) return known;
    const made = [
      this.#numberOf(JSON.stringify(constraint.attribute)),
      this.#numberOf(constraintText(constraint)),
    ] as const;
    this.#constraints.set(constraint, made);
    return made;
  }

  #numberOf(text: string): number {
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    return number;
  }
}

function constraintText({ attribute, alternatives, more }: Constraint): string {
  return JSON.stringify([attribute, alternatives.map(alternativeText).toSorted(), more]);
}

function alternativeText({ matches, except }: Alternative): string {
  return JSON.stringify([matches.map(listText).toSorted(), except.map(listText).toSorted()]);
}

function listText({ field, patterns }: PatternList): string {
  return JSON.stringify([field, patterns]);
}

/** Both regions as one; the attribute's constraint goes where it may be anything then. */
function joined(a: Region, b: Region, name: string): Region {
  const [one, other] = [a, b].map(({ constraints }) =>
    constraints.find(({ attribute }) => JSON.stringify(attribute) === name),
  );
  if (!one || !other) throw new Error('a region without what it was found by');
  const alternatives = simplified([...one.alternatives, ...other.alternatives]);
  const isAnything = alternatives.some(({ matches, except }) => matches.length === 0 && except.length === 0);
  const constraint = { ...one, alternatives, more: one.more + other.more };
  return {
    constraints: a.constraints.flatMap((each) => (each !== one ? [each] : isAnything ? [] : [constraint])),
  };
}

/** Of what is either so or not, with all else alike, nothing is asked. */
export function simplified(alternatives: readonly Alternative[]): readonly Alternative[] {
  const left = [...new Map(alternatives.map((each) => [alternativeText(each), each])).values()];
  for (const [at, one] of left.entries())
    for (const [index, other] of left.entries()) {
      const whole = at === index ? undefined : eitherWay(one, other);
      if (whole !== undefined)
        return simplified([...left.filter((_, each) => each !== at && each !== index), whole]);
    }
  return left;
}

/** `one` asks for a list that `other` leaves out, and in all else they are the same. */
function eitherWay(one: Alternative, other: Alternative): Alternative | undefined {
  for (const list of one.matches) {
    const text = listText(list);
    const less = (lists: readonly PatternList[]) => lists.filter((each) => listText(each) !== text);
    if (less(other.except).length === other.except.length) continue;
    const whole = { matches: less(one.matches), except: one.except };
    if (alternativeText(whole) === alternativeText({ matches: other.matches, except: less(other.except) }))
      return whole;
  }
  return undefined;
}
