import { createHash, randomBytes } from 'node:crypto';
import type { EnforcementRun } from '../../src/domain/enforcement/index.ts';
import type {
  AuditEvent,
  AuthorityRecord,
  DecisionRecord,
  HandshakeTally,
  IssuanceIntent,
  ProxyReport,
  RevokedAuthority,
  RevokedCertificate,
  RootRotation,
  RotationCanary,
  StoredEvidence,
} from '../../src/domain/ports/index.ts';

const start = Date.UTC(2030, 0, 1);
/** So many seconds after an arbitrary moment. */
export const at = (seconds: number) => new Date(start + seconds * 1000);
/** A SHA-256 fingerprint, as of a certificate. */
export const hex = (text: string) => createHash('sha256').update(text).digest('hex');

/** An intent of its own serial number; valid from at(0) to at(3600) unless told otherwise. */
export function intent(changes: Partial<IssuanceIntent> = {}): IssuanceIntent {
  const serial = changes.serial ?? randomBytes(16).toString('hex');
  return {
    serial,
    spiffeId: 'spiffe://example.org/ns/shop/sa/cart',
    principal: 'kubernetes:main/shop/cart/0b5c',
    proxyKey: '0b5c',
    issuer: hex('issuer'),
    tbsDigest: hex(serial),
    bundleVersion: hex('bundle'),
    notBefore: at(0),
    notAfter: at(3600),
    recordedAt: at(0),
    ...changes,
  };
}

export function auditEvent(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    at: at(0),
    action: 'certificate.issue',
    outcome: 'allowed',
    subject: 'kubernetes:main/shop/cart/0b5c',
    proof: 'kubernetes-token',
    target: 'spiffe://example.org/ns/shop/sa/cart',
    reason: '',
    details: { serial: 'ab' },
    ...changes,
  };
}

export function authority(changes: Partial<AuthorityRecord> = {}): AuthorityRecord {
  const id = changes.id ?? 'root-1';
  return {
    id,
    kind: 'root',
    state: 'active',
    tainted: false,
    keyBackend: 'memory',
    keyId: id,
    certificate: Buffer.from(`certificate of ${id}`),
    intermediates: [],
    fingerprint: hex(id),
    rootFingerprint: hex(id),
    notBefore: at(0),
    notAfter: at(1e6),
    createdAt: at(0),
    ...changes,
  };
}

export function proxyReport(changes: Partial<ProxyReport> = {}): ProxyReport {
  return {
    proxyKey: '0b5c',
    spiffeId: 'spiffe://example.org/ns/shop/sa/cart',
    svidSerial: 'ab12',
    principal: 'kubernetes:main/shop/cart/0b5c',
    agentVersion: '1.0.0',
    agentProgram: { name: 'node', version: '24.21.0', library: 'OpenSSL 3.5.8' },
    agentBundleVersion: hex('bundle'),
    crlVersion: hex('crls'),
    consumers: [
      {
        id: 'envoy-1',
        kind: 'envoy-sds',
        lastSeenAt: at(5),
        program: { name: 'envoy', version: '1.40.0', library: 'BoringSSL' },
        resources: [
          { name: 'default', kind: 'svid', sent: 'ab12', accepted: 'ab12', observedAt: at(4) },
          {
            name: 'ROOTCA',
            kind: 'bundle',
            sent: hex('bundle'),
            inUse: hex('old'),
            inUseEvidence: 'envoy-admin',
            inUseIssuer: hex('issuer'),
            nackError: 'no such "thing"\n',
            observedAt: at(3),
          },
        ],
      },
    ],
    connected: true,
    lastSeenAt: at(6),
    ...changes,
  };
}

export function callerEvidence(changes: Partial<StoredEvidence> = {}): StoredEvidence {
  return {
    workload: 'files/shop/cart',
    updatedAt: at(60),
    account: {
      received: 12,
      lost: 1,
      counters: {
        startedAt: at(0),
        observedAt: at(50),
        flushed: 13,
        dropped: 0,
        warming: 0,
        draining: 2,
        drainTime: 600_000,
      },
      waiting: [],
      coverage: { since: at(20), reason: '1 entries of its log have been lost' },
      confirmedAt: at(50),
      brokenAt: undefined,
    },
    ports: new Map([
      [
        8080,
        {
          callers: [{ address: '10.0.0.7', first: at(1), last: at(3), previous: at(2), count: 3 }],
          forgottenAt: undefined,
          more: 0,
          denials: {
            last: at(9),
            count: 4,
            caller: '10.0.0.8',
            transport: 'plaintext',
            policy: undefined,
            reason: 'filter_chain_not_found',
          },
          refused: [{ address: '10.0.0.7', last: at(8), count: 2 }],
        },
      ],
      [0, { callers: [], forgottenAt: at(5), more: 7, denials: undefined, refused: [] }],
    ]),
    ...changes,
  };
}

export function enforcementRun(changes: Partial<EnforcementRun> = {}): EnforcementRun {
  return {
    id: 'a1',
    scope: { kind: 'namespace', namespace: 'shop' },
    state: 'running',
    startedAt: at(0),
    startedBy: 'operator:ada',
    reason: 'a "reason"',
    observe: 60_000,
    window: 3_600_000,
    revertUntil: at(600),
    steps: [
      {
        workload: 'files/shop/cart',
        group: 'shop/cart',
        state: 'settling',
        since: at(9),
        askedAt: at(3),
        drainedAt: at(10),
        known: ['10.0.0.7'],
        accepted: ['10.0.0.8'],
        forced: true,
        losses: 1,
      },
      {
        workload: 'files/shop/web',
        group: 'shop/web',
        state: 'waiting',
        since: at(0),
        askedAt: undefined,
        drainedAt: undefined,
        known: [],
        accepted: [],
        forced: false,
        losses: 0,
      },
    ],
    halt: undefined,
    exempt: [{ kind: 'workload', namespace: 'shop', workload: 'files/shop/db' }],
    updatedAt: at(10),
    ...changes,
  };
}

export function revokedCertificate(changes: Partial<RevokedCertificate> = {}): RevokedCertificate {
  return {
    serial: hex('serial').slice(0, 32),
    spiffeId: 'spiffe://example.org/ns/shop/sa/web',
    issuer: hex('issuer'),
    notAfter: at(3600),
    revokedAt: at(1),
    revokedBy: 'operator:ann',
    code: 'keyCompromise',
    reason: 'a "reason"',
    ...changes,
  };
}

export function revokedAuthority(changes: Partial<RevokedAuthority> = {}): RevokedAuthority {
  return {
    fingerprint: hex('issuer'),
    notAfter: at(7200),
    revokedAt: at(1),
    revokedBy: 'operator:ann',
    code: 'cACompromise',
    reason: '',
    ...changes,
  };
}

export function rotation(changes: Partial<RootRotation> = {}): RootRotation {
  return {
    id: 'a',
    phase: 'prepare',
    phaseSince: at(1),
    oldRoot: hex('root-1'),
    newRoot: undefined,
    algorithm: 'ecdsa-p256',
    lifetime: 1000,
    crossSign: true,
    startedAt: at(0),
    startedBy: 'operator:ann',
    reason: 'the root is old',
    words: [],
    canary: undefined,
    ...changes,
  };
}

/** A canary of two proxies: of the one nothing is known yet, the other has stopped it. */
export const canary: RotationCanary = {
  selectors: ['5%', 'namespace=shop,sa=web'],
  upTo: 0.25,
  watch: 600_000,
  allowedFailures: 2,
  auto: true,
  watched: [
    { proxyKey: '0a', fromStart: true, since: undefined, failedBefore: undefined, halt: undefined },
    {
      proxyKey: '0b5c',
      fromStart: false,
      since: at(3),
      failedBefore: 7,
      halt: { at: at(4), reason: 'refused the bundle' },
    },
  ],
};

const failures = (untrusted: number) => ({ untrusted, otherIdentity: 1, noCertificate: 2, connection: 3 });

export const handshakes: HandshakeTally = {
  last: { startedAt: at(1), observedAt: at(2), downstream: failures(4), upstream: failures(5) },
  downstream: failures(6),
  upstream: failures(7),
};

/** Five calls by mutual TLS, allowed; in the period that begins at(0). */
export function decisionRecord(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    workload: 'files/shop/orders',
    serviceAccount: 'orders',
    labels: { app: 'orders' },
    port: 80,
    transport: 'mtls',
    caller: 'spiffe://example.org/ns/shop/sa/web',
    addresses: ['10.0.0.7', '10.0.0.8'],
    method: 'GET',
    path: '/a',
    host: 'orders.shop',
    serverName: 'outbound.orders',
    decision: 'allowed',
    refusedBy: undefined,
    policy: 'shop/web-reads',
    rule: 0,
    sampled: true,
    lacks: [],
    period: at(0),
    first: at(1),
    last: at(2),
    count: 5,
    ...changes,
  };
}
