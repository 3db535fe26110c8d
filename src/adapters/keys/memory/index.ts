export { createMemoryKeyManager } from './key-manager.ts';
