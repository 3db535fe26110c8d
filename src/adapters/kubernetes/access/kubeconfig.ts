import type { RequestOptions } from 'node:https';
import { CitadelError, describeError } from '../../../kernel/index.ts';
import type { ClusterAccess } from './access.ts';
import { AgentPool } from './agent-pool.ts';

/**
 * Access by a kubeconfig file, with every way to authenticate that the client library knows (token, token file, client
 * certificate, exec plugin, OIDC). The library is loaded here and only here, when a kubeconfig is used at all.
 * @param context a context of that file other than its current one
 * @throws CitadelError FailedPrecondition when the file cannot be read or names no cluster
 */
export async function kubeconfigAccess(file: string, context?: string): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (cause) {
    throw new CitadelError(
      'FailedPrecondition',
      `cannot read the kubeconfig ${file}: ${describeError(cause)}`,
      {
        cause,
      },
    );
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new CitadelError(
      'FailedPrecondition',
      `the kubeconfig ${file} has no cluster for the context ${JSON.stringify(config.getCurrentContext())}`,
    );
  }
  if (!cluster.server.startsWith('https://')) {
    throw new CitadelError('FailedPrecondition', `the kubeconfig ${file} names a server without TLS`);
  }
  const agents = new AgentPool();
  const credentials = async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, passphrase, rejectUnauthorized, servername, agent, headers, auth } = options;
    const basic: Record<string, string> = auth
      ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
      : {};
    const material = { ca, cert, key, passphrase, rejectUnauthorized, servername };
    const present = Object.fromEntries(Object.entries(material).filter(([, value]) => value !== undefined));
    // The library's own agents keep no connection alive; they are needed only where a proxy stands between.
    const proxied = cluster.proxyUrl !== undefined && typeof agent === 'object' ? agent : undefined;
    return { headers: { ...basic, ...plainHeaders(headers) }, agent: proxied ?? agents.get(present) };
  };
  return {
    server: cluster.server.replace(/\/+$/, ''),
    credentials,
    close: () => agents.close(),
  };
}

function plainHeaders(headers: RequestOptions['headers']): Record<string, string> {
  if (headers === undefined || Array.isArray(headers)) return {};
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), String(value)]],
    ),
  );
}
