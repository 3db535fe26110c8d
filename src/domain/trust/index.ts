export { type CrlSet, crlSetVersion } from './crl-set.ts';
export type { BundleChoice, BundleReader, BundleSource } from './reader.ts';
export type { TrustBundleSnapshot } from './snapshot.ts';
