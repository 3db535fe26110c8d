export { openVaultPkiUpstream, type VaultPkiOptions } from './upstream.ts';
