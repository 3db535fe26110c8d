import { isCitadelError } from '../../kernel/index.ts';
import { splitCertificate } from '../certificate/index.ts';
import { verifySignature } from '../keys/index.ts';
import type { LeafIssuer, PreparedLeaf } from './issuer.ts';

/**
 * Checks a certificate just signed, before anybody gets it: it holds exactly what was prepared (and linted), and its
 * signature verifies under the issuer's certificate. A faulty or confused key home must not go unnoticed: one wrong
 * ECDSA signature can give away the key.
 * @param certificate DER
 * @returns what is wrong, for the operator; empty when nothing is
 */
export async function checkIssued(
  certificate: Uint8Array,
  prepared: PreparedLeaf,
  { issuerSpec, issuerKey }: LeafIssuer,
): Promise<string[]> {
  try {
    const { tbsDer, signatureIdentifier, signature } = splitCertificate(certificate);
    if (!tbsDer.equals(prepared.tbs)) return ['it is not what was prepared'];
    if (!signatureIdentifier.equals(issuerSpec.signatureIdentifier))
      return ["its signature algorithm is not the issuer's"];
    const valid = await verifySignature(issuerSpec.digest, tbsDer, issuerKey, signature);
    return valid ? [] : ["its signature does not verify under the issuer's certificate"];
  } catch (error) {
    if (isCitadelError(error, 'InvalidArgument')) return [error.message];
    throw error;
  }
}
