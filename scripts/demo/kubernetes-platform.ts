import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startKubeApi, waitFor } from '../../test/parts/index.ts';
import { newKeyFile, type Platform, tokenSeconds } from './platform.ts';

const manifests = ['namespace.yaml', 'rbac.yaml'];
const systemNamespace = 'citadel-system';
const audience = 'istio-ca';
const configMap = z.object({ data: z.record(z.string(), z.string()) });

/** A real kube-apiserver with RBAC: the server runs with the rights of deploy/kubernetes, workloads with bound tokens. */
export async function kubernetesPlatform(): Promise<Platform & AsyncDisposable> {
  const api = await startKubeApi({ shared: false });
  for (const name of manifests) {
    await api.apply(await readFile(new URL(`../../deploy/kubernetes/${name}`, import.meta.url), 'utf8'));
  }
  await api.createNode('node-1');
  return {
    summary: `SQLite, disk keys, a real kube-apiserver at ${api.server} with RBAC and bound service account tokens`,
    async serverSettings(directory) {
      const kubeconfig = join(directory, 'kubeconfig');
      await api.writeKubeconfig(
        kubeconfig,
        await api.createToken(systemNamespace, 'citadel', { expirationSeconds: tokenSeconds }),
      );
      return {
        clusterId: 'Kubernetes',
        keys: { disk: { encryption: { keyFile: await newKeyFile(directory) } } },
        attestation: { kubernetes: { clusters: [{ id: 'Kubernetes', kubeconfig }], audiences: [audience] } },
        publish: { configMap: {}, clusterTrustBundle: {} },
      };
    },
    async workload({ directory, name, namespace, serviceAccount }) {
      await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
      // Both are there already when this is its second instance.
      await api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
        metadata: { name: serviceAccount },
      });
      const pod = await api.createPod(namespace, name, serviceAccount, 'node-1');
      const token = await api.createToken(namespace, serviceAccount, {
        audiences: [audience],
        expirationSeconds: tokenSeconds,
        boundPod: pod,
      });
      const tokenFile = join(directory, 'token');
      await writeFile(tokenFile, token, { mode: 0o600 });
      const bundleFile = join(directory, 'root-cert.pem');
      await writeFile(
        bundleFile,
        await waitFor(() => publishedRoot(namespace), { what: 'the ConfigMap istio-ca-root-cert' }),
      );
      return { tokenFile, bundleFile };
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };

  /** What a pod would mount: the root that the server published. */
  async function publishedRoot(namespace: string): Promise<string | undefined> {
    const map = await api.request('GET', `/api/v1/namespaces/${namespace}/configmaps/istio-ca-root-cert`);
    return configMap.parse(map).data['root-cert.pem'];
  }
}
