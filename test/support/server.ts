import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  createDevelopmentTokenIssuer,
  type DevelopmentTokenIssuer,
} from '../../src/adapters/development/index.ts';
import { type ServerConfig, serverConfigFromObject } from '../../src/app/config/index.ts';
import { type App, type AppOverrides, createApp } from '../../src/app/index.ts';
import {
  type IstioCertificateRequest,
  type IstioCertificateResponse,
  IstioCertificateServiceClient,
} from '../../src/gen/istio/v1/auth/ca.ts';
import { Secret, systemClock } from '../../src/kernel/index.ts';
import {
  createCertificateRequest,
  generateKeyPair,
  type KeyAlgorithm,
  localSigner,
  toPem,
} from '../../src/pki/index.ts';
import { temporaryDirectory } from '../parts/index.ts';

/** A whole server on loopback with the development issuer, and what a sidecar needs to call it. */
export interface TestServer extends AsyncDisposable {
  readonly app: App;
  readonly directory: string;
  readonly tokens: DevelopmentTokenIssuer;
  /** A token for web in shop. */
  token(lifetime?: number): Promise<Secret<string>>;
  /** Calls CreateCertificate as an Istio client does. */
  create(request: Partial<IstioCertificateRequest>, call?: CallOptions): Promise<IstioCertificateResponse>;
  stop(): Promise<void>;
}

export interface CallOptions {
  readonly token?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly clientCertificate?: { readonly chainPem: string; readonly privateKeyPem: string };
}

export const trustDomain = 'example.org';

type Settings = Readonly<Record<string, unknown>>;

interface ServerOverrides extends AppOverrides {
  readonly directory?: string;
  /** For what no configuration file may say, such as a root that ends within a minute. */
  readonly change?: (config: ServerConfig) => ServerConfig;
}

/** @param settings put over those of development; a function of the data directory where they need it */
export async function startTestServer(
  settings: Settings | ((directory: string) => Settings) = {},
  overrides: ServerOverrides = {},
): Promise<TestServer> {
  const temporary = overrides.directory === undefined ? await temporaryDirectory() : undefined;
  const directory = overrides.directory ?? temporary?.path ?? '';
  const given = typeof settings === 'function' ? settings(directory) : settings;
  const config = serverConfigFromObject({ ...developmentSettings(directory), ...given });
  const app = await createApp(overrides.change?.(config) ?? config, overrides);
  const issuerKey = await readFile(join(directory, 'development-issuer.pem'), 'utf8').catch(() => undefined);
  const tokens = issuerKey
    ? await createDevelopmentTokenIssuer(new Secret(issuerKey), overrides.clock ?? systemClock)
    : noTokens;
  const stop = async () => {
    await app.stop();
    await temporary?.[Symbol.asyncDispose]();
  };
  return {
    app,
    directory,
    tokens,
    token: (lifetime = 600_000) =>
      tokens.issue({ namespace: 'shop', serviceAccount: 'web', instance: 'web-1' }, 'istio-ca', lifetime),
    create: (request, call) => createCertificate(app, request, call),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const noTokens: DevelopmentTokenIssuer = {
  issue: () => Promise.reject(new Error('this server has no development issuer')),
};

/**
 * The configuration of such a server as a file, for commands that read one. JSON is YAML.
 * @returns its path
 */
export async function writeServerConfig(directory: string, settings: Settings): Promise<string> {
  const file = join(directory, 'server.yaml');
  await writeFile(file, JSON.stringify({ ...developmentSettings(directory), ...settings }));
  return file;
}

/** The least configuration of a server in development; the keys live in memory unless said otherwise. */
function developmentSettings(directory: string): Record<string, unknown> {
  return {
    mode: 'development',
    trustDomain,
    dataDirectory: directory,
    keys: { memory: {} },
    listen: {
      csr: '127.0.0.1:0',
      metrics: '127.0.0.1:0',
      operator: '127.0.0.1:0',
      webhook: '127.0.0.1:0',
    },
    attestation: developmentAttestation(directory),
  };
}

export function developmentAttestation(directory: string): Record<string, unknown> {
  return { development: { key: { issuerKeyFile: join(directory, 'development-issuer.pem') } } };
}

/** A fresh key's request, PEM. */
export async function newRequest(algorithm: KeyAlgorithm = 'ecdsa-p256', more: object = {}) {
  const pair = await generateKeyPair(algorithm);
  const der = await createCertificateRequest({ signer: localSigner(pair.privateKey), ...more });
  return {
    csr: toPem(der, 'CERTIFICATE REQUEST'),
    spki: pair.spki,
    privateKeyPem: toPem(pair.privateKeyPkcs8.reveal(), 'PRIVATE KEY'),
  };
}

async function createCertificate(
  app: App,
  request: Partial<IstioCertificateRequest>,
  { token, metadata = {}, clientCertificate }: CallOptions = {},
): Promise<IstioCertificateResponse> {
  const roots = Buffer.from(app.authority.bundle().pem);
  const tls = clientCertificate
    ? credentials.createSsl(
        roots,
        Buffer.from(clientCertificate.privateKeyPem),
        Buffer.from(clientCertificate.chainPem),
      )
    : credentials.createSsl(roots);
  const client = new IstioCertificateServiceClient(`127.0.0.1:${app.csr.port}`, tls, {
    'grpc.ssl_target_name_override': 'istiod.istio-system.svc',
  });
  const headers = new Metadata();
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  for (const [name, value] of Object.entries(metadata)) headers.add(name, value);
  try {
    return await new Promise((resolve, reject) => {
      client.createCertificate(
        { csr: '', validityDuration: 0n, metadata: undefined, ...request },
        headers,
        { deadline: Date.now() + 20_000 },
        (error: ServiceError | null, response) => (error ? reject(error) : resolve(response)),
      );
    });
  } finally {
    client.close();
  }
}
