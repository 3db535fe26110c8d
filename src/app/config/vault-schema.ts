import { z } from 'zod';
import { duration, exactlyOne, type FieldContext, path, secret, url } from './fields.ts';

const authMount = (fallback: string) => z.string().min(1).max(128).prefault(fallback);

/** How to reach HashiCorp Vault or OpenBao, and how to prove who we are to it. */
export const vaultConnection = (context: FieldContext) =>
  z.strictObject({
    address: url(['https:', 'http:']),
    namespace: z.string().min(1).max(256).optional(),
    caFile: path(context).optional().describe('PEM; default: the roots of the system'),
    timeout: duration('100ms', '5m').prefault('10s').describe('of one request'),
    auth: exactlyOne({
      token: secret(context),
      approle: z.strictObject({
        mount: authMount('approle'),
        roleId: z.string().min(1).max(256),
        secretId: secret(context),
      }),
      kubernetes: z.strictObject({
        mount: authMount('kubernetes'),
        role: z.string().min(1).max(256),
        tokenFile: path(context).prefault('/var/run/secrets/kubernetes.io/serviceaccount/token'),
      }),
    }),
  });
