export { openVaultKeyManager, type VaultKeyManagerOptions } from './key-manager.ts';
