import { z } from 'zod';
import { duration, exactlyOne, type FieldContext, path } from './fields.ts';

/** A name as Kubernetes and Istio write them; also the `clusterid` that callers send. */
export const name = z
  .string()
  .max(253)
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'must be letters, digits, dots, dashes and underscores',
  );

const audience = z.string().min(1).max(512);

const nodeCaller = z
  .string()
  .max(317)
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
    'must be NAMESPACE/SERVICEACCOUNT, for example istio-system/ztunnel',
  );

/** How callers may prove what they are. */
export const attestationSchema = (context: FieldContext) =>
  z
    .strictObject({
      kubernetes: z
        .strictObject({
          clusters: z
            .array(
              z.strictObject({
                id: name,
                kubeconfig: path(context).optional().describe('default: the service account that we run as'),
                context: z.string().min(1).max(253).optional().describe('within the kubeconfig'),
              }),
            )
            .min(1)
            .max(256),
          audiences: z.array(audience).min(1).max(16).prefault(['istio-ca']),
          nodeCallers: z
            .array(nodeCaller)
            .max(64)
            .prefault([])
            .describe('may ask for pods of their own node'),
          reviewTimeout: duration('100ms', '1m').prefault('5s'),
        })
        .optional(),
      development: z
        .strictObject({
          key: exactlyOne({
            issuerKeyFile: path(context).describe('private key, PEM: made at the first start when missing'),
            publicKeyFile: path(context).describe('public key, PEM'),
          }),
          audience: audience.prefault('istio-ca'),
        })
        .optional()
        .describe('tokens of a local issuer in place of Kubernetes; refused unless mode is development'),
      svidRenewal: z.boolean().prefault(false).describe('a valid SVID renews itself, outside Kubernetes'),
    })
    .refine(
      (value) => value.kubernetes !== undefined || value.development !== undefined || value.svidRenewal,
      'nobody could prove anything: give kubernetes, development or svidRenewal',
    );
