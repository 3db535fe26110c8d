export type { TrustBundleSnapshot } from './snapshot.ts';
