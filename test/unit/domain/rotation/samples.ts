import type {
  AuthorityRecord,
  ConsumerResource,
  LiveLeaf,
  ProxyReport,
  RootRotation,
} from '../../../../src/domain/ports/index.ts';
import { liveProxies, type RotationEvidence } from '../../../../src/domain/rotation/index.ts';

export const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1) + seconds * 1000);

/** Bundles by what they hold. */
const bundles = new Map([
  ['only-old', ['old']],
  ['both', ['new', 'old']],
  ['only-new', ['new']],
]);

export function leaf(changes: Partial<LiveLeaf> = {}): LiveLeaf {
  return {
    serial: '01',
    spiffeId: 'spiffe://example.org/ns/shop/sa/web',
    principal: 'kubernetes:main/shop/web/web-1',
    proxyKey: 'web-1',
    issuer: 'issuer-old',
    bundleVersion: 'only-old',
    notAfter: at(100),
    recordedAt: at(0),
    reported: true,
    ...changes,
  };
}

export function resource(changes: Partial<ConsumerResource>): ConsumerResource {
  return { name: 'ROOTCA', kind: 'bundle', observedAt: at(1), ...changes };
}

export function report(
  agentBundleVersion: string,
  resources: readonly ConsumerResource[] = [],
  changes: Partial<ProxyReport> = {},
): ProxyReport {
  return {
    proxyKey: 'web-1',
    spiffeId: 'spiffe://example.org/ns/shop/sa/web',
    svidSerial: '01',
    principal: 'kubernetes:main/shop/web/web-1',
    agentVersion: '1',
    agentBundleVersion,
    consumers:
      resources.length === 0 ? [] : [{ id: 'envoy', kind: 'envoy-sds', resources, lastSeenAt: at(1) }],
    connected: true,
    lastSeenAt: at(1),
    ...changes,
  };
}

export function authority(
  fingerprint: string,
  state: AuthorityRecord['state'],
  changes: Partial<AuthorityRecord> = {},
): AuthorityRecord {
  return {
    id: `root-${fingerprint}`,
    kind: 'root',
    state,
    tainted: false,
    keyBackend: 'memory',
    keyId: fingerprint,
    certificate: Buffer.from(fingerprint),
    intermediates: [],
    fingerprint,
    rootFingerprint: fingerprint,
    notBefore: at(-100),
    notAfter: at(10_000),
    createdAt: at(-100),
    ...changes,
  };
}

export const authorities = [
  authority('old', 'active'),
  authority('new', 'prepared'),
  authority('issuer-old', 'old', { kind: 'issuing', rootFingerprint: 'old' }),
  authority('issuer-new', 'prepared', { kind: 'issuing', rootFingerprint: 'new' }),
];

export function evidence(leaves: readonly LiveLeaf[], reports: readonly ProxyReport[]): RotationEvidence {
  return {
    now: at(2),
    leaves,
    pending: [],
    unrecordedUntil: undefined,
    proxies: liveProxies(leaves, reports, at(2)),
    authorities,
    bundles,
  };
}

export function rotation(changes: Partial<RootRotation> = {}): RootRotation {
  return {
    id: 'a',
    phase: 'distribute',
    phaseSince: at(0),
    oldRoot: 'old',
    newRoot: 'new',
    algorithm: 'ecdsa-p256',
    lifetime: 1000,
    crossSign: false,
    startedAt: at(0),
    startedBy: 'operator:ann',
    reason: 'it is old',
    words: [],
    canary: undefined,
    ...changes,
  };
}
