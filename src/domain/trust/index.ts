export { type CrlSet, crlSetVersion } from './crl-set.ts';
export type { TrustBundleSnapshot } from './snapshot.ts';
