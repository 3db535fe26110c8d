import { constants, createCipheriv, createPublicKey, publicEncrypt } from 'node:crypto';
import { CitadelError, type Entropy, type Secret } from '../../../kernel/index.ts';

/** RFC 5649, 3. */
const initialValue = Buffer.from('a65959a6', 'hex');

/**
 * Encrypts a key so that only one Vault can read it: AES-256 key wrap with padding (RFC 5649) under a key of its own,
 * which is encrypted to transit's wrapping key (RSA-OAEP, SHA-256).
 * @param wrappingKey PEM, of Vault
 * @returns base64, as transit's import takes it
 * @throws CitadelError FailedPrecondition when the wrapping key cannot be used
 */
export function wrapForTransit(pkcs8: Secret<Uint8Array>, wrappingKey: string, entropy: Entropy): string {
  const ephemeral = Buffer.from(entropy.bytes(32));
  try {
    const cipher = createCipheriv('id-aes256-wrap-pad', ephemeral, initialValue);
    const wrapped = Buffer.concat([cipher.update(pkcs8.reveal()), cipher.final()]);
    const key = createPublicKey(wrappingKey);
    const oaep = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    return Buffer.concat([publicEncrypt(oaep, ephemeral), wrapped]).toString('base64');
  } catch (cause) {
    throw new CitadelError('FailedPrecondition', 'Vault shows a wrapping key that cannot be used', { cause });
  } finally {
    ephemeral.fill(0);
  }
}
