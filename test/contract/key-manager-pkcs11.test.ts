import { describe } from 'vitest';
import { openPkcs11KeyManager } from '../../src/adapters/keys/pkcs11/index.ts';
import { Secret, silentLog } from '../../src/kernel/index.ts';
import { classicAlgorithms } from '../../src/pki/index.ts';
import { hasPart, startSoftHsm } from '../parts/index.ts';
import { keyManagerContract } from './key-manager.ts';

describe.skipIf(!hasPart('softhsm'))('on a token of a real SoftHSM', () => {
  keyManagerContract(
    'pkcs11',
    async () => {
      const token = await startSoftHsm();
      process.env['SOFTHSM2_CONF'] = token.configuration;
      const { module, label, pin } = token;
      return {
        open: async () =>
          openPkcs11KeyManager({
            module,
            token: { kind: 'label', value: label },
            pin: new Secret(pin),
            log: silentLog,
          }),
        [Symbol.asyncDispose]: () => token[Symbol.asyncDispose](),
      };
    },
    { algorithms: classicAlgorithms, durable: true },
  );
});
