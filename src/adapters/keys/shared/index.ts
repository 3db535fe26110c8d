export { HeldKeys } from './held-keys.ts';
export {
  isKeyId,
  keyDestroyed,
  keyIdTaken,
  keyManagerClosed,
  requireAlgorithm,
  requireKeyId,
} from './key-id.ts';
