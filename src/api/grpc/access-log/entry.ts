import {
  type AccessLogEntry,
  accessLogTags,
  type DecisionMarks,
  type DecisionReader,
  inboundChains,
  type ShadowReader,
} from '../../../domain/ports/index.ts';
import {
  type AccessLogCommon,
  AccessLogType,
  type ResponseFlags,
} from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { rbacFields, socket } from './common.ts';
import { denialOf } from './denial.ts';
import { printable, spiffeIdOf } from './text.ts';

export interface EntryContext {
  readonly workload: string;
  readonly textCharacters: number;
  readonly now: Date;
  readonly readDecision: DecisionReader;
  readonly readShadow: ShadowReader;
}

type Transport = AccessLogEntry['transport'];

const denialPattern = /^rbac_access_denied_matched_policy\[(.*)\]$/s;
const policyIdField = 'citadel_deny_enforced_effective_policy_id';
const via = 'via_upstream';

/**
 * Reads one entry strictly: what is not of the form that proxies are configured for is refused, not guessed at.
 * @throws CitadelError InvalidArgument
 */
export function readEntry(common: AccessLogCommon | undefined, context: EntryContext): AccessLogEntry {
  if (!common) throw new CitadelError('InvalidArgument', 'an access log entry is empty');
  const text = (value: string | undefined) => printable(value, context.textCharacters);
  const caller = socket(common.downstreamDirectRemoteAddress, 'the caller’s address');
  const callee = socket(common.downstreamLocalAddress, 'the address that was called');
  const tags = common.customTags;
  const chain = tags[accessLogTags.chain]?.split('/').at(-1);
  // In the listener's own log alone: later than a handshake, a reset may leave a reason there too.
  const failedHandshake =
    common.accessLogType === AccessLogType.NotSet &&
    common.downstreamTransportFailureReason !== '' &&
    chain !== inboundChains.plaintext;
  const transport = transportOf(chain, failedHandshake, common.responseFlags);
  const details = text(tags[accessLogTags.details] || common.connectionTerminationDetails);
  const denied = isDenied(common, details, failedHandshake, chain);
  const decision = denied ? 'denied' : isUnserved(common) && transport !== 'mtls' ? 'unserved' : 'allowed';
  const decided =
    denied || transport === 'mtls' ? decidedBy(common, details, denied, context.readDecision) : undefined;
  const by = decided?.by;
  const unproved = failedHandshake || chain === undefined;
  const denial = denied ? denialOf(common, context, unproved) : undefined;
  const shadow = ends.has(common.accessLogType) ? context.readShadow(rbacFields(common)) : undefined;
  return {
    workload: context.workload,
    port: callee.port,
    transport,
    callerId: transport === 'mtls' ? callerIdOf(common) : undefined,
    callerAddress: caller.address,
    method: text(tags[accessLogTags.method]),
    path: text(tags[accessLogTags.path]?.split('?')[0]),
    host: text(tags[accessLogTags.host]),
    serverName: text(common.tlsProperties?.tlsSniHostname),
    decision,
    unproved,
    policy: by && `${by.namespace}/${by.name}`,
    rule: by?.rule,
    reason: denied ? (details ?? text(common.downstreamTransportFailureReason)) : undefined,
    // Of what goes on, the word is of now; of the rest it is when it began.
    at: goesOn.has(common.accessLogType) ? context.now : past(common.startTime, context.now),
    sampled: !denied && shadow?.outcome !== 'denied' && (transport === 'mtls' || shadow !== undefined),
    first: isFirst(common.accessLogType, transport, chain),
    shadow,
    ...(denial && { denial }),
    marks: decided && marksOf(common, decided.marks),
  };
}

const { DownstreamStart, DownstreamEnd, DownstreamPeriodic } = AccessLogType;
const { TcpUpstreamConnected, TcpConnectionEnd, TcpPeriodic } = AccessLogType;
const starts: ReadonlySet<AccessLogType> = new Set([DownstreamStart, TcpUpstreamConnected]);
const ends: ReadonlySet<AccessLogType> = new Set([DownstreamEnd, TcpConnectionEnd]);
const goesOn: ReadonlySet<AccessLogType> = new Set([DownstreamPeriodic, TcpPeriodic]);

/** Without mutual TLS each is told of at its start too: what goes on, and what its end tells, is not another one. */
function isFirst(type: AccessLogType, transport: Transport, chain: string | undefined): boolean {
  if (goesOn.has(type)) return false;
  return !(chain !== undefined && ends.has(type) && transport !== 'mtls');
}

/** No application there that takes it; or, of a connection, not a byte either way. */
function isUnserved({ responseFlags: flags, ...common }: AccessLogCommon): boolean {
  if (!ends.has(common.accessLogType)) return false;
  return (
    flags?.upstreamConnectionFailure === true ||
    flags?.noHealthyUpstream === true ||
    flags?.noClusterFound === true ||
    flags?.upstreamOverflow === true ||
    (common.accessLogType === TcpConnectionEnd &&
      common.downstreamWireBytesReceived === 0n &&
      common.downstreamWireBytesSent === 0n)
  );
}

function transportOf(
  chain: string | undefined,
  failedHandshake: boolean,
  flags: ResponseFlags | undefined,
): Transport {
  if (chain === inboundChains.plaintext || chain === inboundChains.refused) return 'plaintext';
  if (chain === inboundChains.otherTls) return 'other-tls';
  if (chain === inboundChains.mutualTls || chain === inboundChains.mutualTlsOther)
    return failedHandshake ? 'other-tls' : 'mtls';
  // Every TLS has a chain that takes it, in every mode: what has none is plaintext.
  if (chain === undefined && flags?.noRouteFound) return 'plaintext';
  throw new CitadelError('InvalidArgument', 'an access log entry names a filter chain that is not known');
}

function isDenied(
  { responseFlags, accessLogType }: AccessLogCommon,
  details: string | undefined,
  failedHandshake: boolean,
  chain: string | undefined,
): boolean {
  if (failedHandshake || chain === undefined || chain === inboundChains.refused) return true;
  if (responseFlags?.unauthorizedDetails) return true;
  if (starts.has(accessLogType) || goesOn.has(accessLogType)) return false;
  return (
    details !== undefined && details !== via && /^(?:rbac_access_denied|jwt_authn_|ext_authz)/.test(details)
  );
}

function decidedBy(
  common: AccessLogCommon,
  details: string | undefined,
  denied: boolean,
  readDecision: DecisionReader,
) {
  const id = denialPattern.exec(details ?? '')?.[1];
  const refusedBy = id === undefined || id === 'none' ? {} : { [policyIdField]: id };
  return readDecision({ ...rbacFields(common), ...refusedBy }, denied);
}

/** At the start of a request no filter has been asked yet; who tells of none may have been refused before any was. */
function marksOf(
  { accessLogType }: AccessLogCommon,
  { path, deny, allow }: ReturnType<DecisionReader>['marks'],
): DecisionMarks | undefined {
  if (!ends.has(accessLogType) || (path ?? deny ?? allow) === undefined) return undefined;
  return { layer: accessLogType === DownstreamEnd ? 'http' : 'network', path, deny, allow };
}

function callerIdOf({ tlsProperties }: AccessLogCommon): string | undefined {
  const names = tlsProperties?.peerCertificateProperties?.subjectAltName ?? [];
  for (const { san } of names) if (san?.$case === 'uri') return spiffeIdOf(san.value);
  return undefined;
}

/** A proxy's clock may be wrong: nothing is recorded as seen in the future. */
function past(at: Date | undefined, now: Date): Date {
  return at === undefined || at > now || Number.isNaN(at.getTime()) ? now : at;
}
