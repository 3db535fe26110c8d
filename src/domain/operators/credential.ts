import { createHash } from 'node:crypto';
import { type Clock, type Entropy, Secret } from '../../kernel/index.ts';
import type { OperatorStore, Role } from '../ports/index.ts';

const credentialBytes = 32;
const credentialLifetime = 24 * 3_600_000;
const credentialPrefix = 'citadel-enrol-';

/** The form that the store keeps. */
export function credentialDigest(credential: Secret<string>): string {
  return createHash('sha256').update(credential.reveal(), 'utf8').digest('hex');
}

export interface CredentialOptions {
  readonly operators: OperatorStore;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Makes a credential of 256 random bits that enrols one operator, once, within 24 hours. */
export async function createOneTimeCredential(
  role: Role,
  options: CredentialOptions,
): Promise<Secret<string>> {
  const random = Buffer.from(options.entropy.bytes(credentialBytes)).toString('base64url');
  const credential = new Secret(credentialPrefix + random);
  const expiresAt = new Date(options.clock.now().getTime() + credentialLifetime);
  await options.operators.addCredential({ digest: credentialDigest(credential), role, expiresAt });
  return credential;
}

/**
 * While there is no operator, gives the credential that makes the first one. Call it at start, print what it gives, once;
 * only its digest is kept.
 */
export async function ensureFirstOperatorCredential(
  options: CredentialOptions,
): Promise<Secret<string> | undefined> {
  const operators = await options.operators.list();
  if (operators.some(({ role }) => role === 'operator')) return undefined;
  return await createOneTimeCredential('operator', options);
}
