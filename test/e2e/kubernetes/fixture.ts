import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, type ClusterOptions, connectCluster } from '../../../src/adapters/kubernetes/index.ts';
import type { TrustBundleSnapshot } from '../../../src/domain/trust/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import { type KubeApi, startKubeApi, temporaryDirectory } from '../../parts/index.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { selfSigned } from './self-signed.ts';

const manifests = join(import.meta.dirname, '../../../deploy/kubernetes');

export const readManifest = (name: string): Promise<string> => readFile(join(manifests, name), 'utf8');

/** The real API server with our own roles applied, and a proxy before it; the clusters act as our service account. */
export interface Fixture extends AsyncDisposable {
  readonly kube: KubeApi;
  readonly proxy: FaultProxy;
  /** Through the proxy, with just the rights of deploy/kubernetes/rbac.yaml. */
  readonly cluster: Cluster;
  connect(options?: Partial<ClusterOptions>): Promise<Cluster>;
  /** The same rights, given to nobody but the holder of this token. */
  readonly serverToken: string;
  readonly names: RoleNames;
  kubeconfigFor(token: string): Promise<string>;
  /** Of an API server that has just gone: its port refuses connections. */
  kubeconfigOfNobody(): Promise<string>;
}

export async function startFixture(): Promise<Fixture> {
  await using cleanup = new AsyncDisposableStack();
  const kube = cleanup.use(await startKubeApi());
  const directory = cleanup.use(await temporaryDirectory('kube'));
  const proxy = cleanup.use(await startFaultProxy(kube));
  await kube.apply(await readManifest('namespace.yaml'));
  const names = uniqueNames();
  await kube.apply(renamed(await readManifest('rbac.yaml'), names));
  const serverToken = await kube.createToken('citadel-system', names.account);
  let files = 0;
  const kubeconfigFor = async (token: string) => {
    files += 1;
    const path = directory.join(`kubeconfig-${files}`);
    await proxy.writeKubeconfig(path, token);
    return path;
  };
  const kubeconfigFile = await kubeconfigFor(serverToken);
  const cluster = await connectCluster({ clusterId: 'test', kubeconfigFile, log: silentLog });
  cleanup.defer(() => cluster.close());
  const owned = cleanup.move();
  return {
    kube,
    proxy,
    cluster,
    serverToken,
    names,
    kubeconfigFor,
    async kubeconfigOfNobody() {
      await using gone = await startFaultProxy(kube);
      const path = directory.join('kubeconfig-of-nobody');
      await gone.writeKubeconfig(path, serverToken);
      return path;
    },
    connect: async (options = {}) => {
      const connected = await connectCluster({
        clusterId: 'test',
        kubeconfigFile,
        log: silentLog,
        ...options,
      });
      owned.defer(() => connected.close());
      return connected;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Names of a test's own in place of those in rbac.yaml, so that tests on one API server do not meet. */
export interface RoleNames {
  readonly account: string;
  readonly role: string;
  readonly configMap: string;
  readonly signer: string;
  readonly webhook: string;
}

export function uniqueNames(): RoleNames {
  const id = randomBytes(5).toString('hex');
  return {
    account: `citadel-${id}`,
    role: `citadel-server-${id}`,
    configMap: `istio-ca-root-cert-${id}`,
    signer: `citadel.dev/mesh-${id}`,
    webhook: `citadel-policies-${id}`,
  };
}

export function renamed(yaml: string, names: RoleNames): string {
  const replacements: readonly (readonly [RegExp, string])[] = [
    [/citadel-server/g, names.role],
    [/istio-ca-root-cert/g, names.configMap],
    [/citadel\.dev\/mesh/g, names.signer],
    [/citadel\.dev:mesh/g, names.signer.replace('/', ':')],
    [/citadel-policies/g, names.webhook],
    [/name: citadel$/gm, `name: ${names.account}`],
  ];
  let text = yaml;
  for (const [pattern, name] of replacements) {
    if (!pattern.test(text)) throw new Error(`rbac.yaml has no ${pattern.source}`);
    text = text.replace(pattern, name);
  }
  return text;
}

/** guard.yaml for the account of these names. */
export function guardOf(yaml: string, names: RoleNames): string {
  const replacements = [
    ['citadel-server-guard', names.role],
    ['citadel-system:citadel', `citadel-system:${names.account}`],
    ['istio-ca-root-cert', names.configMap],
    ['citadel.dev:mesh', names.signer.replace('/', ':')],
  ] as const;
  let text = yaml;
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`guard.yaml has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** A bundle of one new root. */
export async function makeBundle(name: string): Promise<TrustBundleSnapshot> {
  const pem = await selfSigned(generateKeyPairSync('ec', { namedCurve: 'P-256' }), name);
  return { trustDomain: 'cluster.local', authorities: [], version: name, sequenceNumber: 1n, pem };
}
