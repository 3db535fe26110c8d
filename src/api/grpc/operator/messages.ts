import { encodeBundle, TrustBundle as SpiffeBundle, SpiffeId, TrustDomain } from '@citadel/spiffe';
import type { ProxyState } from '../../../domain/mesh/index.ts';
import type {
  AuthorityRecord,
  Consumer,
  ConsumerKind,
  IssuanceRecord,
  OperatorRecord,
  ProxyReport,
  RecordedAuditEvent,
  Role,
} from '../../../domain/ports/index.ts';
import type { TrustBundleSnapshot } from '../../../domain/trust/index.ts';
import * as agent from '../../../gen/citadel/v1/agent.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { parseCertificate, toPem } from '../../../pki/index.ts';

const roleNumbers: Readonly<Record<Role, wire.Role>> = {
  viewer: wire.Role.ROLE_VIEWER,
  author: wire.Role.ROLE_AUTHOR,
  operator: wire.Role.ROLE_OPERATOR,
};

export function roleToWire(role: Role | undefined): wire.Role {
  return role === undefined ? wire.Role.ROLE_UNSPECIFIED : roleNumbers[role];
}

/** @returns undefined for unspecified. @throws CitadelError InvalidArgument for a number that is no role */
export function roleFromWire(number: wire.Role): Role | undefined {
  if (number === wire.Role.ROLE_UNSPECIFIED) return undefined;
  for (const role of ['viewer', 'author', 'operator'] as const) if (roleNumbers[role] === number) return role;
  throw new CitadelError('InvalidArgument', 'the role must be viewer, author or operator');
}

export function operatorToWire(record: OperatorRecord): wire.Operator {
  return { ...record, role: roleToWire(record.role) };
}

export function certificateToWire(record: IssuanceRecord): wire.Certificate {
  return {
    serial: record.serial,
    spiffeId: record.spiffeId,
    state: record.state,
    issuerFingerprint: record.issuer,
    notBefore: record.notBefore,
    notAfter: record.notAfter,
    recordedAt: record.recordedAt,
    principal: record.principal,
    bundleVersion: record.bundleVersion,
    pem: record.certificate ? toPem(record.certificate) : '',
    tbsDigest: record.tbsDigest,
  };
}

export function authorityToWire(
  record: AuthorityRecord,
  reKeying: wire.ReKeying | undefined,
): wire.Authority {
  return {
    id: record.id,
    kind: record.kind,
    state: record.state,
    keyBackend: record.keyBackend,
    fingerprint: record.fingerprint,
    subject: parseCertificate(record.certificate).subject,
    notBefore: record.notBefore,
    notAfter: record.notAfter,
    pem: toPem(record.certificate),
    parentFingerprint: record.rootFingerprint,
    tainted: record.tainted,
    reKeying,
  };
}

export function bundleToWire(bundle: TrustBundleSnapshot): wire.GetBundleResponse {
  const document = SpiffeBundle.of(TrustDomain.parse(bundle.trustDomain), bundle.authorities, {
    sequence: bundle.sequenceNumber,
  });
  return {
    bundle: agent.TrustBundle.fromPartial({
      trustDomain: bundle.trustDomain,
      version: bundle.version,
      sequenceNumber: bundle.sequenceNumber,
    }),
    pem: bundle.pem,
    jwks: encodeBundle(document),
  };
}

/** All that is known of the proxies: by their agents' reports, and by their discovery streams. */
export function proxiesToWire(reports: readonly ProxyReport[], streams: readonly ProxyState[]): wire.Proxy[] {
  const byKey = new Map<string, ProxyState[]>();
  for (const stream of streams)
    byKey.set(stream.proxy.proxyKey, [...(byKey.get(stream.proxy.proxyKey) ?? []), stream]);
  const reported = reports.map((report) => {
    const discovery = byKey.get(report.proxyKey) ?? [];
    byKey.delete(report.proxyKey);
    return { ...proxyToWire(report), discovery: discovery.map(discoveryToWire) };
  });
  const unreported = [...byKey.values()].flatMap((discovery) => {
    const [first] = discovery;
    if (!first) return [];
    return wire.Proxy.fromPartial({
      key: first.proxy.proxyKey,
      spiffeId: first.proxy.spiffeId,
      connected: true,
      lastSeenAt: first.connectedAt,
      svidSerial: first.proxy.svidSerial,
      discovery: discovery.map(discoveryToWire),
    });
  });
  return [...reported, ...unreported];
}

function proxyToWire(report: ProxyReport): Omit<wire.Proxy, 'discovery'> {
  return {
    key: report.proxyKey,
    spiffeId: report.spiffeId,
    workload: report.principal,
    node: '',
    connected: report.connected,
    lastSeenAt: report.lastSeenAt,
    agentBundleVersion: report.agentBundleVersion,
    consumers: report.consumers.map(consumerToWire),
    svidSerial: report.svidSerial,
  };
}

const typeUrlPrefix = 'type.googleapis.com/';

function discoveryToWire(state: ProxyState): wire.ProxyDiscovery {
  return {
    workload: state.workload,
    nodeId: state.proxy.nodeId,
    connectedAt: state.connectedAt,
    failure: state.failure ?? '',
    resources: state.resources.map((resource) => ({
      type: resource.typeUrl.replace(typeUrlPrefix, ''),
      name: resource.name,
      wantedVersion: resource.wanted ?? '',
      sentVersion: resource.sent ?? '',
      acceptedVersion: resource.accepted ?? '',
      error: resource.error ?? '',
    })),
  };
}

export function auditEventToWire(event: RecordedAuditEvent): wire.AuditEvent {
  return { ...event, sequence: BigInt(event.sequence), details: { ...event.details } };
}

export { checkedReason } from '../../reason.ts';

/** @throws CitadelError InvalidArgument */
export function checkedSpiffeId(text: string): string {
  try {
    return SpiffeId.parse(text).toString();
  } catch (error) {
    throw new CitadelError(
      'InvalidArgument',
      'spiffe_id must be a SPIFFE ID, as in spiffe://example.org/ns/a/sa/b',
      {
        cause: error,
      },
    );
  }
}

const consumerKinds: Readonly<Record<ConsumerKind, agent.ConsumerKind>> = {
  'envoy-sds': agent.ConsumerKind.CONSUMER_KIND_ENVOY_SDS,
  'workload-api': agent.ConsumerKind.CONSUMER_KIND_WORKLOAD_API,
  file: agent.ConsumerKind.CONSUMER_KIND_FILE,
};

function consumerToWire(consumer: Consumer): agent.ConsumerReport {
  return {
    consumerId: consumer.id,
    kind: consumerKinds[consumer.kind],
    lastSeenAt: consumer.lastSeenAt,
    program: consumer.program,
    resources: consumer.resources.map((resource) => ({
      name: resource.name,
      kind:
        resource.kind === 'svid'
          ? agent.ResourceReport_Kind.KIND_SVID
          : agent.ResourceReport_Kind.KIND_BUNDLE,
      sentVersion: resource.sent ?? '',
      acceptedVersion: resource.accepted ?? '',
      inUseVersion: resource.inUse ?? '',
      inUseEvidence: resource.inUseEvidence ?? '',
      nackError: resource.nackError ?? '',
      inUseIssuer: resource.inUseIssuer ?? '',
      observedAt: resource.observedAt,
    })),
  };
}
