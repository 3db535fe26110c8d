import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BaoApi, setUpAppRole } from '../parts/vault-home.ts';

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
  const [secretFile, keyFile] = [join(directory, 'secret-id'), join(directory, 'key')];
  await writeFile(secretFile, auth.secretId.reveal(), { mode: 0o600 });
  // Of one server, whichever settings it is started with.
  if (!existsSync(keyFile)) await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
  return {
    vault: {
      address: bao.address,
      timeout: '2s',
      auth: { approle: { roleId: auth.roleId, secretId: { file: secretFile } } },
    },
    issuingKeys: { disk: { encryption: { keyFile } } },
  };
}
