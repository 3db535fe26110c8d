import { describeOrigin } from '../policy/index.ts';
import type { MeshSourceState } from '../ports/index.ts';
import type { ShadowedObject } from './model.ts';

/** Says where an object stands that does not count, and because of which other one. @param names of the sources */
export function describeShadowed(
  names: readonly string[],
): (shadowed: ShadowedObject) => MeshSourceState['shadowed'][number] {
  return ({ object, from, by, what, policy }) => {
    const where = policy ? describeOrigin(policy.origin) : names[from];
    const counting = policy ? describeOrigin(policy.counting) : names[by];
    const part = what === undefined ? '' : ` in part (${what})`;
    return {
      object,
      reason: `${object} of ${where} does not count${part}: that of ${counting} comes first, and says something else`,
    };
  };
}
