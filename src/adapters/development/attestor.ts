import { createPublicKey, type KeyObject } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { Attestor } from '../../domain/ports/index.ts';
import { CitadelError, type Clock } from '../../kernel/index.ts';
import { algorithm, issuer, tokenType } from './token.ts';

export interface DevelopmentAttestorOptions {
  /** SPKI, PEM. */
  readonly publicKey: string;
  readonly audience: string;
  readonly clock: Clock;
}

const kubernetesName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const instanceName = /^[A-Za-z0-9._-]{1,253}$/;

/** Judges tokens of the development issuer. The composition root refuses to build it outside development. */
export function createDevelopmentAttestor(options: DevelopmentAttestorOptions): Attestor {
  const key = readKey(options.publicKey);
  return {
    name: 'development',
    accepts: ({ token }) => token !== undefined && isDevelopmentToken(token.reveal()),
    async attest({ token }) {
      const claims = await verify(token?.reveal() ?? '', key, options);
      return {
        kind: 'development',
        proof: 'development-token',
        namespace: claim(claims, 'namespace', kubernetesName),
        serviceAccount: claim(claims, 'serviceAccount', kubernetesName),
        instance: claim(claims, 'instance', instanceName),
      };
    },
  };
}

/** Whether it says so itself, which proves nothing: another kind of token is left to its own attestor. */
function isDevelopmentToken(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ === tokenType;
  } catch {
    return false;
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new CitadelError('InvalidArgument', 'the development issuer’s public key is not a PEM public key', {
      cause,
    });
  }
}

async function verify(
  token: string,
  key: KeyObject,
  options: DevelopmentAttestorOptions,
): Promise<Record<string, unknown>> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithm],
      typ: tokenType,
      issuer,
      audience: options.audience,
      currentDate: options.clock.now(),
      requiredClaims: ['exp', 'iat'],
    });
    return payload;
  } catch (cause) {
    const expired = cause instanceof errors.JWTExpired;
    // The cause is left out: jose's errors carry the token's claims.
    throw new CitadelError(
      'Unauthenticated',
      expired ? 'the token has expired' : 'the token is not valid here',
      {
        details: cause instanceof errors.JOSEError ? cause.code : 'the token could not be read',
      },
    );
  }
}

function claim(claims: Record<string, unknown>, name: string, form: RegExp): string {
  const value = claims[name];
  if (typeof value !== 'string' || !form.test(value)) {
    throw new CitadelError('Unauthenticated', 'the token is not valid here', {
      details: `claim ${name} is malformed`,
    });
  }
  return value;
}
