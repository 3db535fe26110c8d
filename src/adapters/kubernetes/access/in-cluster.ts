import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CitadelError, describeError } from '../../../kernel/index.ts';
import type { ClusterAccess } from './access.ts';
import { AgentPool } from './agent-pool.ts';

export interface InClusterOptions {
  /** Where `token` and `ca.crt` are mounted; Kubernetes' own place by default. */
  readonly serviceAccountDirectory?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const mounted = '/var/run/secrets/kubernetes.io/serviceaccount';
const tokenLimit = 16_384;

/**
 * Access of a pod to the API server of its own cluster. It is not read with KubeConfig.loadFromCluster, which brings
 * all of the client library's generated API along: 82 MB of resident memory and 0.9 s, against less than 1 MB here, in
 * every server. The token file is read anew for each request, because the kubelet replaces it.
 * @throws CitadelError FailedPrecondition when this process does not run in a pod
 */
export async function inClusterAccess(options: InClusterOptions = {}): Promise<ClusterAccess> {
  const { serviceAccountDirectory: directory = mounted, environment = process.env } = options;
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT_HTTPS'] ?? environment['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || host === '' || port === undefined || port === '') {
    throw new CitadelError(
      'FailedPrecondition',
      'not in a Kubernetes pod (KUBERNETES_SERVICE_HOST is not set); name a kubeconfig file for this cluster',
    );
  }
  const agents = new AgentPool();
  const credentials = async () => {
    const [token, ca] = await Promise.all([
      readMounted(join(directory, 'token')),
      readMounted(join(directory, 'ca.crt')),
    ]);
    const bearer = token.trim();
    if (bearer === '' || bearer.length > tokenLimit || /\s/.test(bearer)) {
      throw new CitadelError('FailedPrecondition', 'the mounted service account token is not a token');
    }
    return { headers: { authorization: `Bearer ${bearer}` }, agent: agents.get({ ca }) };
  };
  // Missing mounts are told at the start, not at the first caller.
  await credentials();
  const authority = host.includes(':') ? `[${host}]` : host;
  return { server: `https://${authority}:${port}`, credentials, close: () => agents.close() };
}

async function readMounted(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CitadelError(
      'FailedPrecondition',
      'the service account token or CA certificate that Kubernetes mounts into pods cannot be read',
      { cause, details: describeError(cause) },
    );
  }
}
