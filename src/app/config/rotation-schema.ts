import { z } from 'zod';
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
    })
    .prefault({}),
  longestPhase: duration('1m', '3650d')
    .optional()
    .describe(
      'a phase that lasts longer is warned of; default: twice certificate.maximumTtl, an hour at least',
    ),
});
