export { type DiskEncryption, type DiskKeyManagerOptions, openDiskKeyManager } from './key-manager.ts';
