import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVaultKeyManager } from '../../src/adapters/keys/vault/index.ts';
import { silentLog, systemClock, systemEntropy } from '../../src/kernel/index.ts';
import { type KubeApi, startKubeApi } from '../parts/kubeapi/index.ts';
import { hasPart } from '../parts/locate.ts';
import { type OpenBao, startOpenBao } from '../parts/openbao.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/temporary.ts';
import { setUpAppRole } from '../parts/vault-home.ts';

describe.skipIf(!hasPart('openbao') || !hasPart('kubeapi'))('Kubernetes auth of a real OpenBao', () => {
  let bao: OpenBao;
  let kube: KubeApi;
  let directory: TemporaryDirectory;
  let namespace: string;

  beforeAll(async () => {
    [bao, kube, directory] = await Promise.all([startOpenBao(), startKubeApi(), temporaryDirectory('vault')]);
    await setUpAppRole(bao);
    namespace = await kube.createNamespace('vault');
    await kube.createServiceAccount(namespace, 'citadel');
    await kube.createServiceAccount(namespace, 'stranger');
    await kube.createServiceAccount(namespace, 'reviewer');
    await kube.request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${namespace}-reviewer` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', name: 'reviewer', namespace }],
    });
    await bao.request('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
    await bao.request('POST', 'auth/kubernetes/config', {
      kubernetes_host: kube.server,
      kubernetes_ca_cert: kube.caPem,
      token_reviewer_jwt: await kube.createToken(namespace, 'reviewer'),
      disable_local_ca_jwt: true,
    });
    await bao.request('POST', 'auth/kubernetes/role/citadel', {
      bound_service_account_names: ['citadel'],
      bound_service_account_namespaces: [namespace],
      token_policies: ['citadel'],
      token_no_default_policy: true,
    });
  });
  afterAll(async () => {
    await kube.request(
      'DELETE',
      `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${namespace}-reviewer`,
    );
    await Promise.all([bao, kube, directory].map((each) => each[Symbol.asyncDispose]()));
  });

  const openAs = async (serviceAccount: string) => {
    const tokenFile = directory.join(serviceAccount);
    await writeFile(tokenFile, await kube.createToken(namespace, serviceAccount), { mode: 0o600 });
    return openVaultKeyManager({
      address: bao.address,
      auth: { kind: 'kubernetes', role: 'citadel', tokenFile },
      clock: systemClock,
      entropy: systemEntropy,
      log: silentLog,
    });
  };

  test('a service account that the role names gets its keys, also after its Vault token was revoked', async () => {
    const keys = await openAs('citadel');
    const key = await keys.generate('by-kubernetes', 'ecdsa-p256');
    await bao.request('POST', 'sys/leases/revoke-prefix/auth/kubernetes/login');
    expect((await key.sign(Buffer.from('x'))).length).toBeGreaterThan(60);
    await keys.close();
  });

  test('another service account is refused', async () => {
    const keys = await openAs('stranger');
    await expect(keys.check()).rejects.toMatchObject({ name: 'CitadelError', code: 'PermissionDenied' });
    await keys.close();
  });
});
