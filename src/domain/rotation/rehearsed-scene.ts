import { SpiffeId, TrustDomain } from '@citadel/spiffe';
import { CitadelError, Secret, toCitadelError } from '../../kernel/index.ts';
import {
  type CertificateSigner,
  createLeafIssuer,
  generateKeyPair,
  type KeyAlgorithm,
  parseCertificate,
  toPem,
} from '../../pki/index.ts';
import type { KeyManager } from '../ports/index.ts';
import type { RehearsalOptions } from './rehearse.ts';
import type { Done, Steps } from './rehearsed-steps.ts';
import type { Validity } from './throwaway.ts';

/** What the steps of one rehearsal work with. */
export interface RehearsedScene extends RehearsalOptions {
  readonly steps: Steps;
  /** Of the throwaway keys. */
  readonly ids: { readonly root: string; readonly issuing: string };
  /** Of the root's key that would be made. */
  readonly algorithm: KeyAlgorithm;
  /** One for all: a leaf must not outlive what is above it. */
  readonly validity: Validity;
  /** Destroys what an earlier rehearsal has left in a home. */
  readonly clearHome: (keys: KeyManager) => Promise<void>;
}

/** What a throwaway leaf is issued by. Certificates are DER. */
export interface LeafSigner {
  readonly root: Uint8Array;
  /** From the authority that issues the leaf up to below the root. */
  readonly above: readonly [Uint8Array, ...Uint8Array[]];
  readonly signer: CertificateSigner;
}

/**
 * Gives a throwaway leaf to an SDS client, with the bundle as it would be in distribute: the present roots, and the new one.
 * @returns what is to be said of it
 * @throws CitadelError DataLoss where something else arrived
 */
export async function handOutBundle(
  { root, above, signer }: LeafSigner,
  { trustDomain, bundle, entropy, validity, handOut }: RehearsedScene,
): Promise<string> {
  const pair = await generateKeyPair('ecdsa-p256');
  const [issuerCertificate] = above;
  const leafIssuer = createLeafIssuer({ issuerCertificate, signer });
  const prepared = leafIssuer.prepare({
    spki: pair.spki,
    spiffeId: SpiffeId.of(TrustDomain.parse(trustDomain), 'citadel', 'rehearsal').toString(),
    serial: entropy.bytes(16),
    ...within(validity, issuerCertificate),
  });
  const leaf = await leafIssuer.sign(prepared);
  const roots = [...bundle().authorities, root];
  const key = new Secret(toPem(pair.privateKeyPkcs8.reveal(), 'PRIVATE KEY'));
  const certChain = [toPem(leaf), ...above.map((der) => toPem(der)), roots.map((der) => toPem(der)).join('')];
  const back = await handOut({ certChain, key });
  const missing = roots.filter((der) => !back.bundle.includes(toPem(der).trim()));
  if (missing.length > 0 || !back.chain.startsWith(toPem(leaf).trim()))
    throw new CitadelError('DataLoss', 'what an SDS client got is not what was handed out');
  return `${roots.length} roots, accepted as ${back.acceptedVersion.slice(0, 12)}`;
}

/** What others have signed may begin later or end earlier than asked for. */
function within({ notBefore, notAfter }: Validity, issuerCertificate: Uint8Array): Validity {
  const issuer = parseCertificate(issuerCertificate);
  return {
    notBefore: notBefore > issuer.notBefore ? notBefore : issuer.notBefore,
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
  };
}

/** Destroys a throwaway key, and looks whether it is gone. */
export async function destroyed(keys: KeyManager, id: string): Promise<Done<undefined>> {
  try {
    await keys.destroy(id);
    if ((await keys.get(id)) === undefined) return { value: undefined, detail: 'gone' };
    throw new CitadelError(
      'FailedPrecondition',
      `the ${keys.backend} key home does not destroy what it is told to`,
    );
  } catch (error) {
    const { code, message, details = '' } = toCitadelError(error);
    throw new CitadelError(
      code,
      `${id} may be left in the ${keys.backend} key home, and goes at the next rehearsal or start: ${message}`,
      { cause: error, details },
    );
  }
}
