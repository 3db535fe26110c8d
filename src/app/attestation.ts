import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Cluster } from '../adapters/kubernetes/index.ts';
import { createSvidAttestor, type SvidVerifier } from '../domain/identity/index.ts';
import type { Attestor, WorkloadDirectory } from '../domain/ports/index.ts';
import { CitadelError, type Clock, type Log, systemErrorCode } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';

export interface Attestation {
  /** Asked in this order; the first that accepts the credentials judges them. */
  readonly attestors: readonly Attestor[];
  readonly directory: (clusterId: string) => WorkloadDirectory | undefined;
  readonly nodeCallers: ReadonlySet<string>;
}

interface Ports {
  readonly verifier: SvidVerifier;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The ways to prove who a caller is, as the configuration allows them. */
export async function createAttestation(config: ServerConfig, ports: Ports): Promise<Attestation> {
  const { kubernetes, development, svidRenewal } = config.attestation;
  const { clusters } = ports;
  const attestors: Attestor[] = [];
  if (development) attestors.push(await developmentAttestor(config, development, ports));
  const directories = new Map<string, WorkloadDirectory>();
  if (kubernetes) {
    const { createKubernetesTokenAttestor, createWorkloadDirectory } = await import(
      '../adapters/kubernetes/index.ts'
    );
    const { audiences } = kubernetes;
    const { clusterId: defaultClusterId } = config;
    const { clock, log } = ports;
    attestors.push(createKubernetesTokenAttestor({ clusters, defaultClusterId, audiences, clock, log }));
    for (const [id, cluster] of clusters) directories.set(id, createWorkloadDirectory(cluster));
  }
  if (svidRenewal) attestors.push(createSvidAttestor(ports.verifier));
  return {
    attestors,
    directory: (clusterId) => directories.get(clusterId),
    nodeCallers: new Set(kubernetes?.nodeCallers ?? []),
  };
}

type DevelopmentConfig = NonNullable<ServerConfig['attestation']['development']>;

async function developmentAttestor(
  { mode }: ServerConfig,
  { key, audience }: DevelopmentConfig,
  { clock, log }: Ports,
): Promise<Attestor> {
  // The configuration's own check says the same; this is the last gate before production trusts a toy.
  if (mode !== 'development') {
    throw new CitadelError(
      'FailedPrecondition',
      'the development token issuer is refused outside mode: development',
    );
  }
  log.warn('DEVELOPMENT MODE: tokens of the development issuer are accepted; never use this in production');
  const { createDevelopmentAttestor } = await import('../adapters/development/index.ts');
  const publicKey =
    key.kind === 'publicKeyFile' ? await readFile(key.value, 'utf8') : await issuerPublicKey(key.value);
  return createDevelopmentAttestor({ publicKey, audience, clock });
}

/** Reads the issuer's private key, making it at the first start, and gives its public half: SPKI, PEM. */
async function issuerPublicKey(file: string): Promise<string> {
  const { generateDevelopmentIssuerKeys } = await import('../adapters/development/index.ts');
  const made = await generateDevelopmentIssuerKeys();
  try {
    await writeFile(file, made.privateKey.reveal(), { mode: 0o600, flag: 'wx' });
    return made.publicKey;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  const pem = await readFile(file);
  return createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString();
}
