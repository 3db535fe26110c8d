import { afterAll, beforeAll, describe } from 'vitest';
import { openVaultKeyManager } from '../../src/adapters/keys/vault/index.ts';
import { silentLog, systemClock, systemEntropy } from '../../src/kernel/index.ts';
import { keyAlgorithms } from '../../src/pki/index.ts';
import { hasPart } from '../parts/locate.ts';
import { type OpenBao, startOpenBao } from '../parts/openbao.ts';
import { setUpAppRole } from '../parts/vault-home.ts';
import { keyManagerContract } from './key-manager.ts';

describe.skipIf(!hasPart('openbao'))('on a real OpenBao, under the policy of deploy/vault', () => {
  let bao: OpenBao;
  let homes = 0;

  beforeAll(async () => {
    bao = await startOpenBao();
  });
  afterAll(async () => {
    await bao[Symbol.asyncDispose]();
  });

  keyManagerContract(
    'vault',
    async () => {
      const auth = await setUpAppRole(bao);
      homes += 1;
      const options = {
        address: bao.address,
        auth,
        // Of the prefix that the policy grants, another part for each home.
        keyPrefix: `citadel-home${homes}-`,
        clock: systemClock,
        entropy: systemEntropy,
        log: silentLog,
      };
      return { open: () => openVaultKeyManager(options), [Symbol.asyncDispose]: async () => {} };
    },
    { algorithms: keyAlgorithms, durable: true },
  );
});
