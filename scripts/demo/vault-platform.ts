import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startOpenBao } from '../../test/parts/index.ts';
import { developmentPlatform, newKeyFile, type Platform } from './platform.ts';

/** The root's key in a real OpenBao, never on this disk: AppRole login with the policy of deploy/vault. */
export async function vaultPlatform(): Promise<Platform & AsyncDisposable> {
  const bao = await startOpenBao();
  const development = developmentPlatform();
  const policy = await readFile(new URL('../../deploy/vault/citadel-policy.hcl', import.meta.url), 'utf8');
  await bao.request('POST', 'sys/mounts/transit', { type: 'transit' });
  await bao.request('POST', 'sys/auth/approle', { type: 'approle' });
  await bao.request('PUT', 'sys/policies/acl/citadel', { policy });
  await bao.request('POST', 'auth/approle/role/citadel', { token_policies: 'citadel', token_ttl: '1h' });
  const roleId = readString(await bao.request('GET', 'auth/approle/role/citadel/role-id'), 'role_id');
  const secretId = readString(
    await bao.request('POST', 'auth/approle/role/citadel/secret-id', {}),
    'secret_id',
  );
  return {
    summary: `SQLite, the root's key in OpenBao at ${bao.address} (transit, not exportable), DEVELOPMENT token issuer`,
    async serverSettings(directory) {
      const secretFile = join(directory, 'vault-secret-id');
      await writeFile(secretFile, secretId, { mode: 0o600 });
      const { keys, ...settings } = await development.serverSettings(directory);
      return {
        ...settings,
        keys: {
          vault: { address: bao.address, auth: { approle: { roleId, secretId: { file: secretFile } } } },
        },
        issuingKeys: keys ?? { disk: { encryption: { keyFile: await newKeyFile(directory) } } },
      };
    },
    workload: (request) => development.workload(request),
    [Symbol.asyncDispose]: () => bao[Symbol.asyncDispose](),
  };
}

const reply = z.object({ data: z.record(z.string(), z.unknown()) });

function readString(answer: unknown, name: string): string {
  return z.string().parse(reply.parse(answer).data[name]);
}
