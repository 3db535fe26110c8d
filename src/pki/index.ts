export { type AuthorityChainCheck, checkAuthorityChain } from './authority/check-chain.ts';
export {
  type AuthoritiesBelow,
  type CrossCertificateOptions,
  createCrossCertificate,
  createIssuingCertificate,
  createRootCertificate,
  type IssuingCertificateOptions,
  mayCrossSign,
  type RootCertificateOptions,
} from './authority/create.ts';
export {
  chainToRoot,
  type KeyUsage,
  type ParsedCertificate,
  parseCertificate,
  verifyIssuedBy,
} from './certificate/index.ts';
export {
  type CrlEntry,
  createCrl,
  isRevocationReason,
  type ParsedCrl,
  type RevocationReason,
  readCrl,
  whyNoCrls,
} from './crl/index.ts';
export {
  type CertificateSigner,
  classicAlgorithms,
  derEcdsaSignature,
  encodeSpki,
  generateKeyPair,
  type KeyAlgorithm,
  type KeyPair,
  keyAlgorithms,
  localSigner,
  publicKeyAlgorithm,
  readPrivateKey,
} from './keys/index.ts';
export {
  checkIssued,
  createLeafIssuer,
  type LeafExpectations,
  type LeafIssuer,
  type LeafIssuerOptions,
  type LeafProfile,
  type LeafRequest,
  lintLeaf,
  type PreparedLeaf,
  servingProfile,
} from './leaf/index.ts';
export { type PemBlock, parsePemCertificates, toPem } from './pem.ts';
export { type CertificateRequestOptions, createCertificateRequest } from './request/create.ts';
export { type CertificateRequest, readCertificateRequest } from './request/read.ts';
