import {
  type AccessLogEntry,
  accessLogTags,
  type DecisionReader,
  inboundChains,
} from '../../../domain/ports/index.ts';
import type { Address } from '../../../gen/envoy/config/core/v3/address.ts';
import {
  type AccessLogCommon,
  AccessLogType,
  type ResponseFlags,
} from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { CitadelError } from '../../../kernel/index.ts';

export interface EntryContext {
  readonly workload: string;
  readonly textCharacters: number;
  readonly now: Date;
  readonly readDecision: DecisionReader;
}

type Transport = AccessLogEntry['transport'];

const denialPattern = /^rbac_access_denied_matched_policy\[(.*)\]$/s;
const rbacNamespaces = ['envoy.filters.http.rbac', 'envoy.filters.network.rbac'];
const policyIdField = 'citadel_deny_enforced_effective_policy_id';
const via = 'via_upstream';

/**
 * Reads one entry strictly: what is not of the form that proxies are configured for is refused, not guessed at.
 * @throws CitadelError InvalidArgument
 */
export function readEntry(common: AccessLogCommon | undefined, context: EntryContext): AccessLogEntry {
  if (!common) throw new CitadelError('InvalidArgument', 'an access log entry is empty');
  const text = (value: string | undefined) => clipped(value, context.textCharacters);
  const caller = socket(common.downstreamDirectRemoteAddress, 'the caller’s address');
  const callee = socket(common.downstreamLocalAddress, 'the address that was called');
  const tags = common.customTags;
  const chain = tags[accessLogTags.chain]?.split('/').at(-1);
  const failedHandshake = common.downstreamTransportFailureReason !== '' && chain !== inboundChains.plaintext;
  const transport = transportOf(chain, failedHandshake, common.responseFlags);
  const details = text(tags[accessLogTags.details] || common.connectionTerminationDetails);
  const denied = isDenied(common, details, failedHandshake, chain);
  const by =
    denied || transport === 'mtls' ? decidedBy(common, details, denied, context.readDecision) : undefined;
  return {
    workload: context.workload,
    port: callee.port,
    transport,
    callerId: transport === 'mtls' ? callerIdOf(common, context.textCharacters) : undefined,
    callerAddress: caller.address,
    method: text(tags[accessLogTags.method]),
    path: text(tags[accessLogTags.path]?.split('?')[0]),
    decision: denied ? 'denied' : 'allowed',
    policy: by && `${by.namespace}/${by.name}`,
    rule: by?.rule,
    reason: denied ? (details ?? text(common.downstreamTransportFailureReason)) : undefined,
    at: past(common.startTime, context.now),
    sampled: transport === 'mtls' && !denied,
    first: !(denied && chain !== undefined && toldAtStart.has(common.accessLogType) && transport !== 'mtls'),
  };
}

/** Ends of what has been logged at its start too. */
const toldAtStart: ReadonlySet<AccessLogType> = new Set([
  AccessLogType.DownstreamEnd,
  AccessLogType.TcpConnectionEnd,
]);

function transportOf(
  chain: string | undefined,
  failedHandshake: boolean,
  flags: ResponseFlags | undefined,
): Transport {
  switch (chain) {
    case inboundChains.plaintext:
      return 'plaintext';
    case inboundChains.mutualTls:
    case inboundChains.mutualTlsOther:
      return failedHandshake ? 'other-tls' : 'mtls';
    case inboundChains.otherTls:
      return 'other-tls';
    default:
      // Every TLS has a chain that takes it, in every mode but where the port itself is none: what has none is plaintext.
      if (chain === undefined && flags?.noRouteFound) return 'plaintext';
      throw new CitadelError('InvalidArgument', 'an access log entry names a filter chain that is not known');
  }
}

function isDenied(
  { responseFlags, accessLogType }: AccessLogCommon,
  details: string | undefined,
  failedHandshake: boolean,
  chain: string | undefined,
): boolean {
  if (failedHandshake || chain === undefined) return true;
  if (responseFlags?.unauthorizedDetails) return true;
  if (accessLogType === AccessLogType.DownstreamStart || accessLogType === AccessLogType.TcpUpstreamConnected)
    return false;
  return (
    details !== undefined && details !== via && /^(?:rbac_access_denied|jwt_authn_|ext_authz)/.test(details)
  );
}

function decidedBy(
  { metadata }: AccessLogCommon,
  details: string | undefined,
  denied: boolean,
  readDecision: DecisionReader,
) {
  const id = denialPattern.exec(details ?? '')?.[1];
  const fields = rbacNamespaces.map((name) => metadata?.filterMetadata[name] ?? {});
  return readDecision(
    Object.assign({}, ...fields, id === undefined || id === 'none' ? {} : { [policyIdField]: id }),
    denied,
  );
}

function callerIdOf({ tlsProperties }: AccessLogCommon, most: number): string | undefined {
  const names = tlsProperties?.peerCertificateProperties?.subjectAltName ?? [];
  for (const { san } of names) if (san?.$case === 'uri') return clipped(san.value, most);
  return undefined;
}

function socket(address: Address | undefined, what: string): { address: string; port: number } {
  const value = address?.address;
  if (value?.$case === 'socketAddress' && value.value.portSpecifier?.$case === 'portValue')
    return { address: plain(value.value.address), port: value.value.portSpecifier.value };
  throw new CitadelError('InvalidArgument', `an access log entry lacks ${what}`);
}

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const longestAddress = 64;

/** As the registry writes it: IPv4 within IPv6 is IPv4. */
function plain(address: string): string {
  if (address.length > longestAddress)
    throw new CitadelError('InvalidArgument', 'an access log entry has an address that is none');
  return mapped.exec(address)?.[1] ?? address;
}

function clipped(value: string | undefined, most: number): string | undefined {
  return value === undefined || value === '' ? undefined : value.slice(0, most);
}

/** A proxy's clock may be wrong: nothing is recorded as seen in the future. */
function past(at: Date | undefined, now: Date): Date {
  return at === undefined || at > now || Number.isNaN(at.getTime()) ? now : at;
}
