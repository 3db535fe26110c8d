export { createCheckpointFile } from './file.ts';
export { createCheckpointStream } from './stdout.ts';
export { openVaultCheckpoints } from './vault.ts';
