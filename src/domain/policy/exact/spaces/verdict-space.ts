import type { Attribute } from '../model.ts';
import type { Cell, EagerSpace } from './space.ts';

/** What an authorizer outside says: nobody can know, so it is free. Its one literal is that it refuses. */
export class VerdictSpace implements EagerSpace {
  readonly kind = 'eager';
  readonly attribute: Attribute;

  constructor(attribute: Attribute) {
    this.attribute = attribute;
  }

  cells(literals: readonly number[], given: Cell | undefined): readonly Cell[] {
    const considered = [...new Set([...literals, ...(given?.considered ?? [])])];
    const granting: Cell = { truths: new Set(), considered, sample: { kind: 'verdict', allows: true } };
    const refusing: Cell = {
      truths: new Set(considered),
      considered,
      sample: { kind: 'verdict', allows: false },
    };
    if (given === undefined) return [granting, refusing];
    return given.truths.size > 0 ? [refusing] : [granting];
  }

  better(): undefined {
    return undefined;
  }
}
