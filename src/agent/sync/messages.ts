import type { Consumer, ConsumerResource, HandshakeFailures, TlsProgram } from '../../domain/ports/index.ts';
import { crlSetVersion } from '../../domain/trust/index.ts';
import {
  AgentReport,
  type BundleSet,
  ConsumerKind,
  type ConsumerReport,
  EnvoyReport,
  type ResourceReport,
  ResourceReport_Kind,
} from '../../gen/citadel/v1/agent.ts';
import { CitadelError, describeError } from '../../kernel/index.ts';
import { readCrl } from '../../pki/light.ts';
import type { EnvoyReading } from '../envoy/counters.ts';
import { makeBundle } from '../identity/bundle.ts';
import type { Bundle, Crls } from '../identity/identity.ts';
import { toPem } from '../identity/pem.ts';

const kinds = {
  'envoy-sds': ConsumerKind.CONSUMER_KIND_ENVOY_SDS,
  'workload-api': ConsumerKind.CONSUMER_KIND_WORKLOAD_API,
  file: ConsumerKind.CONSUMER_KIND_FILE,
} as const;

/** The whole present state, as the server wants it. */
export function renderReport(
  agentVersion: string,
  { bundleVersion, crlVersion }: { readonly bundleVersion: string; readonly crlVersion: string },
  consumers: readonly Consumer[],
): AgentReport {
  return AgentReport.create({
    agentVersion,
    bundleVersion,
    crlVersion,
    consumers: consumers.map(renderConsumer),
    program: ownProgram,
  });
}

/** This process: its TLS and its own check of certificates are by the same library. */
const ownProgram: TlsProgram = {
  name: 'node',
  version: process.versions.node,
  library: `OpenSSL ${process.versions['openssl'] ?? ''}`,
};

function renderConsumer({ id, kind, resources, lastSeenAt, program }: Consumer): ConsumerReport {
  return {
    consumerId: id,
    kind: kinds[kind],
    resources: resources.map(renderResource),
    lastSeenAt,
    program,
  };
}

function renderResource(resource: ConsumerResource): ResourceReport {
  return {
    name: resource.name,
    kind: resource.kind === 'svid' ? ResourceReport_Kind.KIND_SVID : ResourceReport_Kind.KIND_BUNDLE,
    sentVersion: resource.sent ?? '',
    acceptedVersion: resource.accepted ?? '',
    inUseVersion: resource.inUse ?? '',
    inUseEvidence: resource.inUseEvidence ?? '',
    nackError: resource.nackError ?? '',
    inUseIssuer: resource.inUseIssuer ?? '',
    observedAt: resource.observedAt,
  };
}

export function renderEnvoyReport(counters: EnvoyReading): EnvoyReport {
  return EnvoyReport.create({
    startedAt: counters.startedAt,
    observedAt: counters.observedAt,
    entriesFlushed: BigInt(counters.flushed),
    entriesDropped: BigInt(counters.dropped),
    warming: counters.warming,
    draining: counters.draining,
    drainSeconds: Math.ceil(counters.drainTime / 1000),
    downstreamFailures: renderFailures(counters.downstream),
    upstreamFailures: renderFailures(counters.upstream),
  });
}

function renderFailures(failures: HandshakeFailures) {
  return {
    untrusted: BigInt(failures.untrusted),
    otherIdentity: BigInt(failures.otherIdentity),
    noCertificate: BigInt(failures.noCertificate),
    connection: BigInt(failures.connection),
  };
}

const maxBundles = 256;
const maxAuthorities = 64;
const maxCrls = 256;

/**
 * Checks a bundle set: each bundle is one by the standard and has the version that its content makes, and our own trust
 * domain's is there and not empty. One that is wrong is refused whole, so that what we hold stays.
 * @throws CitadelError DataLoss
 */
export function readBundleSet({ bundles }: BundleSet, ownTrustDomain: string): Bundle[] {
  if (bundles.length > maxBundles) throw refused(`it has more than ${maxBundles} bundles`);
  const read = bundles.map(({ trustDomain, x509Authorities, version, crls, crlVersion }) => {
    if (x509Authorities.length > maxAuthorities)
      throw refused(`a bundle has more than ${maxAuthorities} authorities`);
    const bundle = makeBundle(trustDomain, x509Authorities);
    if (version !== '' && version !== bundle.version)
      throw refused('the version of a bundle is not that of its content');
    return crls.length === 0 ? bundle : { ...bundle, crls: readCrls(crls, crlVersion) };
  });
  if (new Set(read.map(({ trustDomain }) => trustDomain)).size !== read.length)
    throw refused('a trust domain comes twice');
  const own = read.find(({ trustDomain }) => trustDomain === ownTrustDomain);
  if (own === undefined || own.authorities.length === 0)
    throw refused('it has no authority for our own trust domain');
  return read;
}

/** Each is read whole: Envoy refuses all that come with one that it cannot read. */
function readCrls(crls: readonly Uint8Array[], version: string): Crls {
  if (crls.length > maxCrls) throw refused(`a bundle has more than ${maxCrls} CRLs`);
  if (crlSetVersion(crls) !== version) throw refused('the version of the CRLs is not that of their content');
  for (const der of crls) {
    try {
      readCrl(der);
    } catch (error) {
      throw refused(describeError(error));
    }
  }
  return { version, pem: crls.map((der) => toPem(der, 'X509 CRL')).join('') };
}

function refused(reason: string): CitadelError {
  return new CitadelError('DataLoss', `the server's bundle set is unusable: ${reason}`);
}
