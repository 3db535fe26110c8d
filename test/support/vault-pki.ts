import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BaoApi, member } from '../parts/vault-home.ts';

/**
 * Mounts a PKI with a root of its own.
 * @param ttl of the root
 * @returns `vaultPki` as the configuration names it, by OpenBao's root token, and the root, PEM
 */
export async function setUpVaultPki(
  bao: BaoApi & { readonly address: string; readonly rootToken: string },
  directory: string,
  mount = 'pki',
  ttl = '8760h',
) {
  await bao.request('POST', `sys/mounts/${mount}`, { type: 'pki', config: { max_lease_ttl: '87600h' } });
  const made = await bao.request('POST', `${mount}/root/generate/internal`, {
    common_name: `Root of the company in ${mount}`,
    key_type: 'ec',
    ttl,
  });
  const file = join(directory, 'vault-token');
  await writeFile(file, bao.rootToken, { mode: 0o600 });
  return {
    vaultPki: { address: bao.address, timeout: '2s', auth: { token: { file } }, mount },
    root: String(member(made, 'data', 'certificate')),
  };
}
