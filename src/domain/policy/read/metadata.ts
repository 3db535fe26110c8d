import { z } from 'zod';
import { mend } from '../../../yaml/index.ts';
import type { PolicyMeta } from '../model.ts';
import { labels } from './target.ts';
import { dnsLabel, isDnsSubdomain } from './values.ts';

const dryRunKey = 'istio.io/dry-run';

/** As Istio reads it; of anything else it makes a policy that holds. */
const yes = ['true', 'True', 'TRUE', 't', 'T', '1'];
const no = ['false', 'False', 'FALSE', 'f', 'F', '0'];

const notText = { error: 'must be text' };

/** Kubernetes' ObjectMeta, whole: a slip in `annotations` must not turn a dry run into a policy that holds. */
export const metadata = z
  .strictObject({
    name: z
      .string()
      .refine(isDnsSubdomain, 'must be a name of lower-case letters, digits, - and . (RFC 1123)'),
    namespace: z
      .string()
      .regex(dnsLabel, 'must be a name of lower-case letters, digits and - (RFC 1123)')
      .optional(),
    labels: labels().nullish(),
    annotations: z.record(z.string(), z.string(notText)).nullish(),
    generation: z.int().min(0).optional(),
    creationTimestamp: z.iso.datetime({ offset: true, error: 'must be a time of RFC 3339' }).nullish(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generateName: z.string().optional(),
    selfLink: z.string().optional(),
    deletionTimestamp: z.string().nullish(),
    deletionGracePeriodSeconds: z.number().nullish(),
    ownerReferences: z.array(z.unknown()).nullish(),
    finalizers: z.array(z.string()).nullish(),
    managedFields: z.array(z.unknown()).nullish(),
  })
  .superRefine(({ annotations }, context) => {
    const dryRun = annotations?.[dryRunKey];
    if (dryRun !== undefined && !yes.includes(dryRun) && !no.includes(dryRun))
      context.addIssue({
        code: 'custom',
        path: ['annotations', dryRunKey],
        message: `must be "true" or "false", not ${JSON.stringify(dryRun)}`,
        ...mend('write "true" in quotes: annotations are text'),
      });
  });

export interface ReadMeta {
  readonly meta: PolicyMeta;
  readonly dryRun: boolean;
}

export function readMeta(
  given: z.output<typeof metadata>,
  namespace: string,
  origin: PolicyMeta['origin'],
): ReadMeta {
  const { name, generation = 0, creationTimestamp, annotations } = given;
  return {
    meta: {
      namespace,
      name,
      generation,
      ...(creationTimestamp ? { created: Date.parse(creationTimestamp) } : {}),
      origin,
    },
    dryRun: yes.includes(annotations?.[dryRunKey] ?? ''),
  };
}
