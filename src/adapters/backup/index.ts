export { generateBackupIdentity, isRecipient } from './identity.ts';
export { type BackedUpFile, type BackupManifest, serverIdName, storeName } from './manifest.ts';
export { type UnpackedBackup, unpackBackup } from './read.ts';
export { type BackupOptions, type BackupSource, writeBackup } from './write.ts';
