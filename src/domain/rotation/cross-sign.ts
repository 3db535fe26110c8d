import { CitadelError } from '../../kernel/index.ts';
import { type AuthoritiesBelow, createCrossCertificate, mayCrossSign } from '../../pki/index.ts';
import type { AuthorityRecord, RootRotation } from '../ports/index.ts';
import type { EffectPorts } from './effects.ts';

/** The root that certifies the new one, where that is asked for; one that has ended meanwhile vouches for nothing. Pure. */
export function crossSignerOf(
  { crossSign: wanted, oldRoot }: Pick<RootRotation, 'crossSign' | 'oldRoot'>,
  records: readonly AuthorityRecord[],
  now: Date,
): AuthorityRecord | undefined {
  return records.find(({ fingerprint, notAfter }) => wanted && fingerprint === oldRoot && notAfter > now);
}

/** @throws CitadelError FailedPrecondition where the old root cannot certify the new one: its key is not ours, its path too short */
export async function requireCrossSigner(
  oldRoot: AuthorityRecord,
  { keysOf }: Pick<EffectPorts, 'keysOf'>,
  below?: AuthoritiesBelow,
): Promise<void> {
  if (!mayCrossSign(oldRoot.certificate, below))
    throw new CitadelError(
      'FailedPrecondition',
      "the old root's path length leaves no room for a cross certificate: rotate without --cross-sign",
    );
  await signerOf(oldRoot, keysOf);
}

/** The new root as the old one certifies it. @returns DER */
export async function crossSign(
  oldRoot: AuthorityRecord,
  { certificate, below }: { readonly certificate: Uint8Array; readonly below?: AuthoritiesBelow | undefined },
  { keysOf, trustDomain }: Pick<EffectPorts, 'keysOf' | 'trustDomain'>,
): Promise<Uint8Array> {
  return createCrossCertificate({
    issuerCertificate: oldRoot.certificate,
    issuerSigner: await signerOf(oldRoot, keysOf),
    certificate,
    ...(below === undefined ? {} : { below }),
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
