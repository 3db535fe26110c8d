import type {
  RevocationStore,
  RevokedAuthority,
  RevokedCertificate,
  StoredCrl,
} from '../../src/domain/ports/index.ts';
import { CitadelError } from '../../src/kernel/index.ts';

export function memoryRevocations(): RevocationStore {
  const certificates = new Map<string, RevokedCertificate>();
  const authorities = new Map<string, RevokedAuthority>();
  const crls = new Map<string, StoredCrl>();
  return {
    async revokeCertificates(revoked) {
      for (const each of revoked) if (!certificates.has(each.serial)) certificates.set(each.serial, each);
    },
    async revokeAuthority(revoked) {
      if (!authorities.has(revoked.fingerprint)) authorities.set(revoked.fingerprint, revoked);
    },
    certificates: async () => [...certificates.values()],
    authorities: async () => [...authorities.values()],
    async saveCrl(crl) {
      if ((crls.get(crl.issuer)?.number ?? 0) >= crl.number)
        throw new CitadelError('Aborted', 'a CRL of this authority with as large a number is stored already');
      crls.set(crl.issuer, crl);
    },
    crls: async () => [...crls.values()],
    forgetCertificates: async (serials) => serials.filter((serial) => certificates.delete(serial)).length,
    async forgetAuthorities(fingerprints) {
      for (const fingerprint of fingerprints) {
        authorities.delete(fingerprint);
        crls.delete(fingerprint);
      }
    },
  };
}
