import type { PolicyWorld } from '../../src/domain/policy/index.ts';
import type { Random } from '../oracle/generate/index.ts';
import { type Edit, edits } from './edits.ts';
import { isWritable, smallPolicies, someKinds } from './small.ts';
import { otherwiseRead, smallModes, smallTokens, smallWorld } from './worlds.ts';

export interface Pair {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
  /** What was done to the first to have the second. */
  readonly edit: string;
}

/** Two worlds of one mesh: mostly the second is the first with an edit or two, sometimes another one about the same things. */
export function randomPair(random: Random, turn: number): Pair {
  const kinds = someKinds(random, turn);
  const policies = smallPolicies(random, kinds);
  const [modes, strict] = [smallModes(random), random.chance(0.1) ? ['shop/orders'] : []];
  const tokens = smallTokens(random);
  const before = smallWorld([...policies, ...modes, ...tokens], strict);
  if (random.chance(0.2))
    return {
      before,
      after: smallWorld([...smallPolicies(random, kinds), ...modes, ...tokens], strict),
      edit: 'other policies',
    };
  if (random.chance(0.1))
    return {
      before,
      after: smallWorld([...policies, ...smallModes(random), ...tokens], strict),
      edit: 'other modes',
    };
  // What filters leave is another thing where bytes are read, of which nothing is told then.
  const leaves = kinds.some(({ name }) => name.startsWith('experimental.'));
  if (random.chance(0.1) && !leaves) {
    // Nor can it be told here of tokens, as which others are taken there.
    const read = smallWorld([...policies, ...modes], strict);
    const [first, second] = random.chance(0.5) ? [read, otherwiseRead(read)] : [otherwiseRead(read), read];
    return { before: first, after: second, edit: 'ports that are read in another way' };
  }
  const names = random.list(1, 2, () => random.pick(Object.keys(edits)));
  const edited = names.reduce((some, name) => applied(edits[name], random, some), policies);
  return { before, after: smallWorld([...edited, ...modes, ...tokens], strict), edit: names.join(', ') };
}

/** The policies unchanged where the edit finds nothing to do in them, or makes what nobody can write. */
export function applied(
  edit: Edit | undefined,
  random: Random,
  policies: ReturnType<typeof smallPolicies>,
): ReturnType<typeof smallPolicies> {
  if (policies.length === 0) return policies;
  const edited = edit?.(random, policies) ?? policies;
  return edited.every(isWritable) ? edited : policies;
}
