import { z } from 'zod';
import { parseSelector } from '../../domain/rotation/index.ts';
import { duration } from './fields.ts';

/** What is done of a rotation of the root without an operator, and when one is told that it takes too long. */
export const rotationSchema = z.strictObject({
  root: z
    .strictObject({
      at: z
        .number()
        .gt(0)
        .lt(1)
        .optional()
        .describe('share of the root’s life after which a rotation begins by itself; default: never'),
      continue: z
        .boolean()
        .prefault(false)
        .describe('phases end by themselves, where evidence permits it and never by force'),
      canary: z
        .strictObject({
          selectors: z
            .array(z.string().min(1).max(1024).refine(isSelector, 'is no share, namespace, sa or SPIFFE ID'))
            .min(1)
            .max(16)
            .describe('who is given the new root first: 5%, namespace=a,sa=b, or a SPIFFE ID'),
          watch: duration('1s', '30d').prefault('10m').describe('for which each of them is watched'),
          allowedFailures: z
            .number()
            .int()
            .min(0)
            .max(999_999)
            .prefault(0)
            .describe('failed handshakes more than before that each may have'),
        })
        .optional()
        .describe('of rotations that begin by schedule; default: the new root is given to all at once'),
    })
    .prefault({}),
  longestPhase: duration('1m', '3650d')
    .optional()
    .describe(
      'a phase that lasts longer is warned of; default: twice certificate.maximumTtl, an hour at least',
    ),
});

/** Years may lie between the configuration and the rotation: what is mistyped is to be told now. */
function isSelector(text: string): boolean {
  try {
    parseSelector(text);
    return true;
  } catch {
    return false;
  }
}
