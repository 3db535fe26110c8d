import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import {
  createDiscoveryService,
  createGrpcHealth,
  type DiscoveryLimits,
  defaultDiscoveryLimits,
  type GrpcListener,
  startGrpcListener,
} from '../../src/api/grpc/index.ts';
import { createSvidVerifier } from '../../src/domain/identity/index.ts';
import type {
  AuthorityRecord,
  DiscoverySource,
  IssuanceRecord,
  Metrics,
} from '../../src/domain/ports/index.ts';
import { noMetrics } from '../../src/domain/ports/index.ts';
import { AggregatedDiscoveryServiceClient } from '../../src/gen/envoy/service/discovery/v3/ads.ts';
import { Secret, silentLog, systemClock } from '../../src/kernel/index.ts';
import { parseCertificate } from '../../src/pki/index.ts';
import { FakeDiscoverySource } from './discovery-source.ts';
import { TestAuthority } from './test-authority.ts';

export const trustDomain = 'ads.test';
export const webId = `spiffe://${trustDomain}/ns/shop/sa/web`;
export const otherId = `spiffe://${trustDomain}/ns/shop/sa/other`;

export interface Identity {
  readonly chainPem: string;
  readonly keyPem: string;
  readonly serial: string;
}

export interface IdentityOptions {
  readonly spiffeId?: string;
  readonly principal?: string;
  readonly proxyKey?: string;
  readonly notAfter?: Date;
}

export interface AdsServer extends AsyncDisposable {
  readonly source: FakeDiscoverySource;
  readonly listener: GrpcListener;
  readonly rootPem: string;
  readonly stopping: AbortController;
  /** An SVID that the inventory knows. */
  identity(options?: IdentityOptions): Promise<Identity>;
  /** @param port by default the listener's own */
  client(identity?: Identity, port?: number): AggregatedDiscoveryServiceClient;
}

export interface AdsServerOptions {
  /** Serves this in place of the source that the test fills. */
  readonly serve?: DiscoverySource;
  readonly limits?: Partial<DiscoveryLimits>;
  readonly metrics?: Metrics;
  readonly messageBytes?: number;
  readonly callsPerSecondPerPeer?: number;
}

/** The discovery service on a listener as the server has it, over a source that the test fills. */
export async function startAdsServer(options: AdsServerOptions = {}): Promise<AdsServer> {
  const authority = await TestAuthority.create(trustDomain);
  const serving = await authority.issueServing({ dns: ['localhost'], ips: ['127.0.0.1'] });
  const issued = new Map<string, IssuanceRecord>();
  const stopping = new AbortController();
  const source = new FakeDiscoverySource();
  const service = createDiscoveryService({
    source: options.serve ?? source,
    verifier: createSvidVerifier({
      trustDomain,
      authorities: () => records(authority, serving.chainPem[1]),
      inventory: { get: (serial) => Promise.resolve(issued.get(serial)) },
      isRevoked: () => false,
      clock: systemClock,
    }),
    revocations: { isRevoked: () => false, onRevoked: () => () => {} },
    metrics: options.metrics ?? noMetrics,
    stopping: stopping.signal,
    clock: systemClock,
    log: silentLog,
    limits: { ...defaultDiscoveryLimits, ...options.limits },
  });
  const certificate = {
    chainPem: serving.chainPem.join(''),
    privateKeyPem: new Secret(serving.keyPem),
    bundlePem: authority.rootPem,
    serial: serving.serial,
    notAfter: new Date(Date.now() + 3_600_000),
  };
  const listener = await startGrpcListener({
    address: { host: '127.0.0.1', port: 0 },
    certificates: { current: () => certificate, onChange: () => () => {}, tick: () => Promise.resolve() },
    services: [service],
    health: createGrpcHealth([]),
    limits: {
      messageBytes: options.messageBytes ?? 65_536,
      connections: 1000,
      streamsPerConnection: 100,
      callsPerSecondPerPeer: options.callsPerSecondPerPeer ?? 1000,
      handshakeTimeout: 5000,
      requestTimeout: 5000,
    },
    onRefused: () => {},
  });
  const identity = async (wanted: IdentityOptions = {}): Promise<Identity> => {
    const { spiffeId = webId, principal = 'kubernetes:c/shop/web/uid-1', proxyKey = 'uid-1' } = wanted;
    const notAfter = wanted.notAfter ?? new Date(Date.now() + 3_600_000);
    const leaf = await authority.issueServing({ uris: [spiffeId], notAfter });
    const parsed = parseCertificate(leaf.chainPem[0]);
    issued.set(parsed.serialHex, {
      serial: parsed.serialHex,
      spiffeId,
      principal,
      proxyKey,
      issuer: '',
      tbsDigest: '',
      bundleVersion: '',
      notBefore: new Date(),
      notAfter,
      recordedAt: new Date(),
      state: 'issued',
      certificate: der(leaf.chainPem[0]),
    });
    return { chainPem: leaf.chainPem.join(''), keyPem: leaf.keyPem, serial: parsed.serialHex };
  };
  return {
    source,
    listener,
    rootPem: authority.rootPem,
    stopping,
    identity,
    client: (who, port = listener.port) =>
      new AggregatedDiscoveryServiceClient(`localhost:${port}`, tls(authority.rootPem, who), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.max_receive_message_length': -1,
      }),
    [Symbol.asyncDispose]: () => {
      stopping.abort();
      return listener.close(500);
    },
  };
}

function tls(rootPem: string, who: Identity | undefined): ChannelCredentials {
  const root = Buffer.from(rootPem);
  return who
    ? credentials.createSsl(root, Buffer.from(who.keyPem), Buffer.from(who.chainPem))
    : credentials.createSsl(root);
}

function records(authority: TestAuthority, issuingPem: string): readonly AuthorityRecord[] {
  const record = (kind: AuthorityRecord['kind'], certificate: Uint8Array): AuthorityRecord => ({
    id: kind,
    kind,
    state: 'active',
    tainted: false,
    keyBackend: 'none',
    keyId: '',
    certificate,
    intermediates: [],
    fingerprint: kind,
    rootFingerprint: 'root',
    notBefore: new Date(0),
    notAfter: new Date(Date.now() + 3_600_000),
    createdAt: new Date(0),
  });
  return [record('root', authority.rootDer), record('issuing', der(issuingPem))];
}

function der(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}
