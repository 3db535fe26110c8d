import { z } from 'zod';
import { duration, type FieldContext, path } from './fields.ts';
import { vaultConnection } from './vault-schema.ts';

const vaultPath = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/, 'must be a path such as citadel/audit');

/** Where it is sworn to the audit record outside of the store. */
export const auditSchema = (context: FieldContext) =>
  z.strictObject({
    checkpoints: z
      .strictObject({
        everyEntries: z
          .int()
          .min(1)
          .max(10_000_000)
          .prefault(10_000)
          .describe('a checkpoint is due after as many'),
        interval: duration('1s', '24h')
          .prefault('1m')
          .describe(
            'and as long after the last one, where there are new entries; at the end of the server too',
          ),
        file: z
          .strictObject({ path: path(context).describe('outside of dataDirectory, best on another disk') })
          .optional()
          .describe('a file that only grows; of this server alone'),
        stdout: z
          .strictObject({})
          .optional()
          .describe('a line of JSON each; cannot be compared with at a start'),
        vault: vaultConnection(context)
          .extend({
            mount: vaultPath.prefault('secret').describe('of a key-value engine of version 2'),
            path: vaultPath.prefault('citadel/audit').describe('of the secret; of this server alone'),
          })
          .optional(),
      })
      .prefault({})
      .describe('signed heads of the audit record, kept where who can write the store cannot'),
  });
