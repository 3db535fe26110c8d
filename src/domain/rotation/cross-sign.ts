import { CitadelError } from '../../kernel/index.ts';
import { createCrossCertificate, mayCrossSign } from '../../pki/index.ts';
import type { AuthorityRecord } from '../ports/index.ts';
import type { EffectPorts } from './effects.ts';

/** @throws CitadelError FailedPrecondition where the old root cannot certify the new one: its key is not ours, its path too short */
export async function requireCrossSigner(
  oldRoot: AuthorityRecord,
  { keysOf }: Pick<EffectPorts, 'keysOf'>,
): Promise<void> {
  if (!mayCrossSign(oldRoot.certificate))
    throw new CitadelError(
      'FailedPrecondition',
      "the old root's path length leaves no room for a cross certificate: rotate without --cross-sign",
    );
  await signerOf(oldRoot, keysOf);
}

/** The new root as the old one certifies it. @returns DER */
export async function crossSign(
  oldRoot: AuthorityRecord,
  newRoot: Uint8Array,
  { keysOf, trustDomain }: Pick<EffectPorts, 'keysOf' | 'trustDomain'>,
): Promise<Uint8Array> {
  return createCrossCertificate({
    issuerCertificate: oldRoot.certificate,
    issuerSigner: await signerOf(oldRoot, keysOf),
    certificate: newRoot,
    trustDomain,
  });
}

async function signerOf({ keyBackend, keyId }: AuthorityRecord, keysOf: EffectPorts['keysOf']) {
  const keys = keyId === '' ? undefined : await keysOf(keyBackend);
  const signer = await keys?.get(keyId);
  if (!signer)
    throw new CitadelError(
      'FailedPrecondition',
      'the old root cannot certify the new one: its key is in no key home that the configuration names; rotate without --cross-sign, or name the home in formerKeys',
    );
  return signer;
}
