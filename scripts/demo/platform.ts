import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDevelopmentTokenIssuer } from '../../src/adapters/development/index.ts';
import { Secret, systemClock } from '../../src/kernel/index.ts';

/** What proves the workloads, and where the root's key lives. */
export interface Platform {
  /** Said to the viewer. */
  readonly summary: string;
  /** The part of the server's configuration that differs. */
  serverSettings(directory: string): Promise<Record<string, unknown>>;
  /** Gives a workload what a platform mounts into it: a token and the first trust bundle. */
  workload(request: WorkloadRequest): Promise<{ readonly tokenFile: string; readonly bundleFile: string }>;
}

export interface WorkloadRequest {
  readonly directory: string;
  /** Of the instance: a service account may have several. */
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly operator: (...args: readonly string[]) => Promise<string>;
}

/** A person may stay for a day; a platform would renew it in time. */
export const tokenSeconds = 86_400;

/** SQLite, keys on this disk, and tokens of the development issuer. */
export function developmentPlatform(): Platform {
  let issuerKeyFile = '';
  return {
    summary: 'SQLite, disk keys, DEVELOPMENT token issuer (stands in for Kubernetes; refused in production)',
    async serverSettings(directory) {
      issuerKeyFile = join(directory, 'development-issuer.pem');
      return {
        keys: { disk: { encryption: { keyFile: await newKeyFile(directory) } } },
        attestation: { development: { key: { issuerKeyFile } } },
      };
    },
    async workload({ directory, name, namespace, serviceAccount, operator }) {
      const issuer = await createDevelopmentTokenIssuer(
        new Secret(await readFile(issuerKeyFile, 'utf8')),
        systemClock,
      );
      const token = await issuer.issue(
        { namespace, serviceAccount, instance: name },
        'istio-ca',
        tokenSeconds * 1000,
      );
      const tokenFile = join(directory, 'token');
      await writeFile(tokenFile, token.reveal(), { mode: 0o600 });
      return { tokenFile, bundleFile: await bundleFromOperator(directory, operator) };
    },
  };
}

/** The 32 random bytes that encrypt keys at rest. */
export async function newKeyFile(directory: string): Promise<string> {
  const file = join(directory, 'key-encryption-key');
  await writeFile(file, randomBytes(32), { mode: 0o600 });
  return file;
}

/** What an operator would mount: the trust bundle, asked for over the local socket. */
export async function bundleFromOperator(
  directory: string,
  operator: WorkloadRequest['operator'],
): Promise<string> {
  const shown: unknown = JSON.parse(await operator('bundle', 'show', '-o', 'json'));
  if (typeof shown !== 'object' || shown === null || !('pem' in shown) || typeof shown.pem !== 'string') {
    throw new Error('bundle show gave no PEM');
  }
  const file = join(directory, 'root-cert.pem');
  await writeFile(file, shown.pem);
  return file;
}
