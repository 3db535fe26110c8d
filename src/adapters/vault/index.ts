export type { VaultCall } from './caller.ts';
export { openVaultClient, type VaultClient } from './client.ts';
export { policyText, type VaultPermission } from './errors.ts';
export type { Json } from './json.ts';
export { requireMount, type VaultAuth, type VaultConnectionOptions } from './options.ts';
