import type { AgentState } from '../../../domain/adoption/index.ts';
import type { ProxyCounters } from '../../../domain/evidence/index.ts';
import type {
  Consumer,
  ConsumerKind,
  ConsumerResource,
  HandshakeFailures,
  HandshakeReport,
  TlsProgram as Program,
} from '../../../domain/ports/index.ts';
import {
  type AgentReport,
  type ConsumerReport,
  type EnvoyReport,
  type ResourceReport,
  ResourceReport_Kind,
  type TlsProgram,
  ConsumerKind as WireConsumerKind,
  type HandshakeFailures as WireHandshakeFailures,
} from '../../../gen/citadel/v1/agent.ts';
import { CitadelError } from '../../../kernel/index.ts';

/** An agent stands beside one workload, or beside all of one node. */
const mostConsumers = 256;
const mostResources = 64;
const longestText = 4096;

const consumerKinds: Readonly<Record<number, ConsumerKind>> = {
  [WireConsumerKind.CONSUMER_KIND_ENVOY_SDS]: 'envoy-sds',
  [WireConsumerKind.CONSUMER_KIND_WORKLOAD_API]: 'workload-api',
  [WireConsumerKind.CONSUMER_KIND_FILE]: 'file',
};

/** Reads an agent's report strictly. @throws CitadelError InvalidArgument or ResourceExhausted */
export function readAgentReport(report: AgentReport, now: Date): AgentState {
  bounded(report.consumers, mostConsumers, 'consumers');
  return {
    agentVersion: text(report.agentVersion),
    bundleVersion: text(report.bundleVersion),
    ...(report.crlVersion === '' ? {} : { crlVersion: text(report.crlVersion) }),
    program: report.program && readProgram(report.program),
    consumers: report.consumers.map((consumer) => readConsumer(consumer, now)),
  };
}

/** @throws CitadelError InvalidArgument */
export function readEnvoyReport(report: EnvoyReport, now: Date): ProxyCounters {
  return {
    startedAt: beginning(report),
    observedAt: past(report.observedAt, now),
    flushed: count(report.entriesFlushed),
    dropped: count(report.entriesDropped),
    warming: report.warming,
    draining: report.draining,
    drainTime: report.drainSeconds * 1000,
  };
}

/** @returns undefined where the agent has not read them. @throws CitadelError InvalidArgument */
export function readHandshakeReport(report: EnvoyReport, now: Date): HandshakeReport | undefined {
  const { downstreamFailures, upstreamFailures } = report;
  if (!downstreamFailures || !upstreamFailures) return undefined;
  return {
    startedAt: beginning(report),
    // By our own clock: how fresh it is counts, and an agent's may be slow.
    observedAt: now,
    downstream: readFailures(downstreamFailures),
    upstream: readFailures(upstreamFailures),
  };
}

function readFailures(failures: WireHandshakeFailures): HandshakeFailures {
  return {
    untrusted: count(failures.untrusted),
    otherIdentity: count(failures.otherIdentity),
    noCertificate: count(failures.noCertificate),
    connection: count(failures.connection),
  };
}

function beginning({ startedAt }: EnvoyReport): Date {
  if (startedAt === undefined || Number.isNaN(startedAt.getTime()))
    throw new CitadelError('InvalidArgument', 'the report of an Envoy does not say when it began');
  return startedAt;
}

function count(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new CitadelError('InvalidArgument', 'a counter in the report is too large');
  return Number(value);
}

function readConsumer(consumer: ConsumerReport, now: Date): Consumer {
  const kind = consumerKinds[consumer.kind];
  if (!kind) throw new CitadelError('InvalidArgument', 'a consumer is of unknown kind');
  bounded(consumer.resources, mostResources, 'resources');
  return {
    id: text(consumer.consumerId),
    kind,
    resources: consumer.resources.map((resource) => readResource(resource, now)),
    lastSeenAt: past(consumer.lastSeenAt, now),
    ...(consumer.program ? { program: readProgram(consumer.program) } : {}),
  };
}

const longestName = 128;

function readProgram({ name, version, library }: TlsProgram): Program {
  if ([name, version, library].some((value) => value.length > longestName))
    throw new CitadelError('ResourceExhausted', 'a text in the report is too long');
  return { name, version, library };
}

function readResource(resource: ResourceReport, now: Date): ConsumerResource {
  if (resource.kind === ResourceReport_Kind.KIND_UNSPECIFIED) {
    throw new CitadelError('InvalidArgument', 'a resource is of unknown kind');
  }
  return {
    name: text(resource.name),
    kind: resource.kind === ResourceReport_Kind.KIND_SVID ? 'svid' : 'bundle',
    ...present('sent', resource.sentVersion),
    ...present('accepted', resource.acceptedVersion),
    ...present('inUse', resource.inUseVersion),
    ...present('inUseEvidence', resource.inUseEvidence),
    ...present('inUseIssuer', resource.inUseIssuer),
    ...present('nackError', resource.nackError),
    observedAt: past(resource.observedAt, now),
  };
}

/** One optional field: absent where the wire has the empty string. */
function present<Name extends string>(name: Name, value: string): Partial<Record<Name, string>> {
  const field: Partial<Record<string, string>> = value === '' ? {} : { [name]: text(value) };
  return field;
}

/** An agent's clock may be wrong: nothing is recorded as seen in the future. */
function past(at: Date | undefined, now: Date): Date {
  return at === undefined || at > now || Number.isNaN(at.getTime()) ? now : at;
}

function text(value: string): string {
  if (value.length > longestText)
    throw new CitadelError('ResourceExhausted', 'a text in the report is too long');
  return value;
}

function bounded(list: readonly unknown[], most: number, what: string): void {
  if (list.length > most)
    throw new CitadelError('ResourceExhausted', `the report has more than ${most} ${what}`);
}
