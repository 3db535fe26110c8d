import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VaultAuth } from '../../src/adapters/vault/index.ts';
import { Secret } from '../../src/kernel/index.ts';
import type { OpenBao } from './openbao.ts';

/** What is needed of a server to set it up: all of it, or one namespace of it. */
export type BaoApi = Pick<OpenBao, 'request'>;

const policyFile = join(import.meta.dirname, '../../deploy/vault/citadel-policy.hcl');

export function member(value: unknown, ...names: readonly string[]): unknown {
  let at = value;
  for (const name of names) {
    at = typeof at === 'object' && at !== null ? new Map(Object.entries(at)).get(name) : undefined;
  }
  return at;
}

/**
 * Mounts transit and gives an AppRole with nothing but the policy of deploy/vault.
 * @param token settings of the role's tokens: `token_ttl`, `token_max_ttl`, `token_num_uses`
 */
export async function setUpAppRole(bao: BaoApi, token: object = {}, role = 'citadel'): Promise<VaultAuth> {
  const mounts = await bao.request('GET', 'sys/mounts');
  if (member(mounts, 'data', 'transit/') === undefined)
    await bao.request('POST', 'sys/mounts/transit', { type: 'transit' });
  const auths = await bao.request('GET', 'sys/auth');
  if (member(auths, 'data', 'approle/') === undefined)
    await bao.request('POST', 'sys/auth/approle', { type: 'approle' });
  await bao.request('PUT', 'sys/policies/acl/citadel', { policy: await readFile(policyFile, 'utf8') });
  await bao.request('POST', `auth/approle/role/${role}`, {
    token_policies: ['citadel'],
    token_no_default_policy: true,
    ...token,
  });
  const roleId = member(await bao.request('GET', `auth/approle/role/${role}/role-id`), 'data', 'role_id');
  const secretId = member(
    await bao.request('POST', `auth/approle/role/${role}/secret-id`),
    'data',
    'secret_id',
  );
  return { kind: 'approle', roleId: String(roleId), secretId: new Secret(String(secretId)) };
}
