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
  let merged = ways;
  for (;;) {
    const fewer = mergeOnce(merged);
    if (fewer === undefined) return merged;
    merged = fewer;
  }
}

function mergeOnce(ways: readonly Way[]): readonly Way[] | undefined {
  const seen = new Map<string, number>();
  for (const [at, { region }] of ways.entries())
    for (const name of namesOf(region)) {
      const key = JSON.stringify([name, withoutAttribute(region, name).map(constraintText).toSorted()]);
      const other = seen.get(key);
      const partner = other === undefined ? undefined : ways[other];
      if (other === undefined || partner === undefined) seen.set(key, at);
      else {
        const both = joined(partner.region, region, name);
        return ways.with(other, { region: both, witness: partner.witness }).toSpliced(at, 1);
      }
    }
  return undefined;
}

function namesOf({ constraints }: Region): readonly string[] {
  return constraints.map(({ attribute }) => JSON.stringify(attribute));
}

function withoutAttribute({ constraints }: Region, name: string): readonly Constraint[] {
  return constraints.filter(({ attribute }) => JSON.stringify(attribute) !== name);
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
