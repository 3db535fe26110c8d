import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { requirePart } from '../locate.ts';
import { startProcess } from '../process.ts';
import { temporaryDirectory } from '../temporary.ts';

export const kubeApiAddress = z.object({
  /** The base URL, `https://127.0.0.1:port`. */
  server: z.string(),
  /** The CA of its serving certificate, PEM, and the file that holds it. */
  caPem: z.string(),
  caPath: z.string(),
  /** A token of the group system:masters. */
  adminToken: z.string(),
  /** A kubeconfig of the administrator; its token and CA stay valid as long as the server runs. */
  kubeconfigPath: z.string(),
  /** The private key that it signs service account tokens with, PEM. */
  serviceAccountKeyPath: z.string(),
});

/** Where a kube-apiserver is and how to get in; plain data, so that it can travel between processes. */
export type KubeApiAddress = Readonly<z.infer<typeof kubeApiAddress>>;

export interface KubeApiServer extends AsyncDisposable {
  readonly address: KubeApiAddress;
  logs(): string;
}

export interface KubeApiServerOptions {
  /** Added to kube-apiserver's own arguments, e.g. `--service-account-max-token-expiration=1h`. */
  readonly args?: readonly string[];
  /** Issuer of service account tokens; `self` is the server's own URL. */
  readonly issuer?: string;
  /** Where it keeps its data, so that it can be started again with what it had; a new one by default. */
  readonly directory?: string;
  /** A free one by default. */
  readonly port?: number;
}

const announcement = z.object({
  server: z.string(),
  token: z.string(),
  caFile: z.string(),
  kubeconfig: z.string(),
});

/** Starts a kube-apiserver with etcd inside (test/kubeapi): authorization mode RBAC, no controllers, no nodes. */
export async function startKubeApiServer(options: KubeApiServerOptions = {}): Promise<KubeApiServer> {
  const program = requirePart('kubeapi');
  await using cleanup = new AsyncDisposableStack();
  const directory = options.directory ?? cleanup.use(await temporaryDirectory('kubeapi')).path;
  const issuer = options.issuer === undefined ? [] : ['-issuer', options.issuer];
  const port = options.port === undefined ? [] : ['-port', String(options.port)];
  const flags = ['-stdin', '-dir', directory, ...port, ...issuer, '--', ...(options.args ?? [])];
  const child = cleanup.use(await startProcess(program, flags, { name: 'kubeapi', stdin: 'pipe' }));
  const [line] = await child.line(/^\{"caFile".*\}$/, { deadline: 120_000 });
  const { server, token, caFile, kubeconfig } = announcement.parse(JSON.parse(line));
  const address = {
    server,
    caPem: await readFile(caFile, 'utf8'),
    caPath: caFile,
    adminToken: token,
    kubeconfigPath: kubeconfig,
    serviceAccountKeyPath: join(directory, 'sa.key'),
  };
  const owned = cleanup.move();
  return { address, logs: () => child.logs(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
