import { z } from 'zod';
import { duration, exactlyOne, type FieldContext, path, secret } from './fields.ts';

/** A token that keeps its keys to itself: an HSM, a smart card, SoftHSM. */
export const pkcs11Token = (context: FieldContext) =>
  z.strictObject({
    module: path(context).describe('the shared library of the token’s maker'),
    token: exactlyOne({
      label: z.string().min(1).max(32),
      serial: z.string().min(1).max(16),
    }).describe('which token, where the module shows several'),
    pin: secret(context).describe('of the user, not of the security officer'),
    keyPrefix: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
      .prefault('citadel')
      .describe('before the names of our keys; each server that shares a token has another'),
    sessions: z.int().min(1).max(64).prefault(4).describe('signatures at once'),
    timeout: duration('100ms', '5m').prefault('10s').describe('of one call'),
  });
