export { createKeySetArchive } from './archive.ts';
export { createJwksSource, type JwksSourceOptions } from './source.ts';
