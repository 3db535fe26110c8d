import type { AuthorizationAction } from '../model.ts';
import type { Arrival } from './arrivals.ts';
import { TooMuch } from './budget.ts';
import { contradiction, ruleMarking } from './decided.ts';
import type { Comparison, Mark, MarkDifference } from './model.ts';
import type { Group } from './places.ts';
import { regionsOf } from './regions.ts';
import type { Sides } from './sides.ts';
import { witnessOf } from './witness.ts';

const actions: readonly AuthorizationAction[] = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'];
const marks: readonly Mark[] = [
  { action: 'AUDIT', dryRun: false },
  ...actions.map((action) => ({ action, dryRun: true })),
];

/** What `AUDIT` and dry runs say of other requests than before. What it takes is granted of what decisions have left. */
export function compareMarks(
  sides: Sides,
  groups: readonly { readonly group: Group; readonly arrivals: readonly Arrival[] }[],
): Comparison['marks'] {
  const differences: MarkDifference[] = [];
  let complete = true;
  for (const { group, arrivals } of groups)
    for (const arrival of arrivals)
      for (const mark of marks.filter((each) => isThere(each, arrival)))
        try {
          const found = markDifferences(sides, group, arrival, mark);
          differences.push(...found.differences);
          complete &&= found.complete;
        } catch (error) {
          if (!(error instanceof TooMuch)) throw error;
          complete = false;
        }
  return { differences, complete };
}

function isThere({ action, dryRun }: Mark, { before, after }: Arrival): boolean {
  return [...before.policies, ...after.policies].some(
    (policy) => policy.kind === 'AuthorizationPolicy' && policy.action === action && policy.dryRun === dryRun,
  );
}

function markDifferences(
  sides: Sides,
  group: Group,
  { protocol, before: first, after: second }: Arrival,
  mark: Mark,
): Comparison['marks'] {
  const { engine, was, is } = sides.begin(first, second);
  const { formulas } = engine.vocabulary;
  const [before, after] = [was.marked(first, mark), is.marked(second, mark)];
  if (before.matched === after.matched) return { differences: [], complete: true };
  const isMixed = first.protocol !== second.protocol;
  const arrives = formulas.and([before.arrives, after.arrives]);
  const of = (matched: number) => formulas.and([arrives, matched]);
  const { diff, givenUp } = engine.differences(of(before.matched), of(after.matched), {
    isMixed,
    carriers: first.carriers,
  });
  engine.budget.grant(engine.limits.stepsOfGroup);
  const { regions, complete } = regionsOf(engine.vocabulary, diff, engine.limits.regions);
  const differences = regions.map(({ region, samples, becomes }): MarkDifference => {
    const witness = witnessOf(samples, engine.defaults(group, protocol, first, second));
    const isMarked = becomes === 'allowed';
    const ruleBefore = ruleMarking(witness, first, sides.before, mark);
    const ruleAfter = ruleMarking(witness, second, sides.after, mark);
    const [by, none] = isMarked ? [ruleAfter, ruleBefore] : [ruleBefore, ruleAfter];
    if (by === undefined || none !== undefined) return contradiction({ mark, becomes, by, none }, witness);
    return {
      places: group.members,
      protocol,
      ...(isMixed && { readAs: { before: first.protocol, after: second.protocol } }),
      mark,
      becomes: isMarked ? 'marked' : 'unmarked',
      region,
      witness,
      by,
    };
  });
  return { differences, complete: complete && givenUp === undefined };
}
