import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openVaultKeyManager } from '../../src/adapters/keys/vault/index.ts';
import type { KeyManager } from '../../src/domain/ports/index.ts';
import { silentLog, systemClock, systemEntropy } from '../../src/kernel/index.ts';
import { type BaoApi, setUpAppRole } from '../parts/vault-home.ts';
import { diskKeys } from './disk-keys.ts';

/**
 * The connection settings of an AppRole with nothing but the policy of deploy/vault, and local, encrypted issuing keys,
 * as in production.
 * @param token settings of the role's tokens
 */
export async function vaultSettings(
  bao: BaoApi & { readonly address: string },
  directory: string,
  token: object = {},
) {
  const auth = await setUpAppRole(bao, token);
  if (auth.kind !== 'approle') throw new Error('another kind of login');
  const secretFile = join(directory, 'secret-id');
  await writeFile(secretFile, auth.secretId.reveal(), { mode: 0o600 });
  return {
    vault: {
      address: bao.address,
      timeout: '2s',
      auth: { approle: { roleId: auth.roleId, secretId: { file: secretFile } } },
    },
    issuingKeys: diskKeys(directory),
  };
}

/** The key manager of such a role, for keys that a test makes itself. */
export async function openVaultKeys(bao: BaoApi & { readonly address: string }): Promise<KeyManager> {
  const auth = await setUpAppRole(bao);
  const ports = { clock: systemClock, entropy: systemEntropy, log: silentLog };
  return openVaultKeyManager({ address: bao.address, auth, ...ports });
}
