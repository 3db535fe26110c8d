import { createMemoryKeyManager } from '../../src/adapters/keys/memory/index.ts';
import { keyAlgorithms } from '../../src/pki/index.ts';
import { keyManagerContract } from './key-manager.ts';

keyManagerContract(
  'memory',
  async () => ({ open: async () => createMemoryKeyManager(), [Symbol.asyncDispose]: async () => {} }),
  { algorithms: keyAlgorithms, durable: false },
);
