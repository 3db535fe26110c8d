export { decodeBundle, encodeBundle, MAX_DOCUMENT_BYTES } from './bundle-document.ts';
export { BundleSet } from './bundle-set.ts';
export { Certificate, MAX_CERTIFICATE_BYTES } from './certificate.ts';
export { isSpiffeRule, SpiffeError, type SpiffeRule, spiffeRules } from './errors.ts';
export { forWorkload, SpiffeId } from './spiffe-id.ts';
export { MAX_AUTHORITIES, TrustBundle, type TrustBundleOptions } from './trust-bundle.ts';
export { TrustDomain } from './trust-domain.ts';
export { type VerifiedX509Svid, type VerifyOptions, verifyX509Svid } from './verify.ts';
export { type ChainInput, MAX_CHAIN_LENGTH, X509Svid } from './x509-svid.ts';
