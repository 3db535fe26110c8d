import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { Secret } from '../../kernel/index.ts';

/** A new key pair for backups: the identity opens them and is kept offline, the recipient goes into the configuration. */
export async function generateBackupIdentity(): Promise<{
  readonly identity: Secret<string>;
  readonly recipient: string;
}> {
  const identity = await generateIdentity();
  return { identity: new Secret(identity), recipient: await identityToRecipient(identity) };
}

/** Whether a backup can be encrypted to it. */
export function isRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}
