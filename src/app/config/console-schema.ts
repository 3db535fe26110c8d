import { z } from 'zod';
import { duration, type FieldContext, secret } from './fields.ts';

const origin = z
  .string()
  .max(300)
  .regex(
    /^https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::(?!443$)[1-9]\d{0,4})?$/,
    'must be as browsers write it: https://HOST or https://HOST:PORT, in lower case, without a path',
  );

/** The console in the browser. */
export const consoleSchema = (context: FieldContext) =>
  z.strictObject({
    origin: origin
      .optional()
      .describe('by which browsers reach listen.console; default: https://localhost and its port'),
    clientCertificates: z
      .boolean()
      .prefault(true)
      .describe('operators may sign in with their client certificate; browsers ask for one then'),
    oidc: z
      .strictObject({
        issuer: z
          .string()
          .min(1)
          .max(2048)
          .describe('one of operators.oidc, whose keys and roles hold here too'),
        clientId: z
          .string()
          .min(1)
          .max(512)
          .describe('as the provider knows the console; its ID tokens’ audience'),
        clientSecret: secret(context)
          .optional()
          .describe('without one the console is a public client with PKCE'),
        scopes: z
          .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/, 'must be a scope'))
          .max(32)
          .prefault(['openid', 'profile', 'email'])
          .refine((scopes) => scopes.includes('openid'), 'openid must be among them'),
      })
      .optional()
      .describe('sign-in by OpenID Connect; the redirect URI is ORIGIN/console/signed-in'),
    sessions: z
      .strictObject({
        idle: duration('1m', '24h').prefault('30m').describe('after which an unused session ends'),
        lifetime: duration('5m', '7d').prefault('8h').describe('after which it ends however it is used'),
        maximum: z.int().min(1).max(100_000).prefault(1_000).describe('at once, of all operators'),
        perOperator: z.int().min(1).max(100).prefault(5).describe('at once; one more ends the oldest'),
      })
      .prefault({}),
  });
