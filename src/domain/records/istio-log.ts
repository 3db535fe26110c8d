import { SpiffeId } from '@citadel/spiffe';
import { z } from 'zod';
import { CitadelError } from '../../kernel/index.ts';
import type { Workload } from '../mesh/index.ts';
import { normalizePath, parseRuleId } from '../policy/index.ts';
import type { AccessLogEntry, RecordedAttribute } from '../ports/index.ts';
import { identityOfEntry } from './from-entry.ts';
import type { DecisionIdentity } from './identity.ts';

/** Envoy writes a dash for what is not there, Istio's JSON null. */
const text = z
  .string()
  .max(16_384)
  .nullish()
  .transform((value) => (value === '' || value === '-' ? undefined : (value ?? undefined)));

/** What is read of a line of Istio's default JSON access log; all other fields are passed over. */
const lineSchema = z.object({
  start_time: z.iso.datetime({ offset: true }).transform((value) => new Date(value)),
  method: text,
  path: text,
  authority: text,
  response_code_details: text,
  connection_termination_details: text,
  upstream_cluster: text,
  requested_server_name: text,
  downstream_local_address: text,
  /** Not among the default fields: `%DOWNSTREAM_PEER_URI_SAN%`, `%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%`. */
  downstream_peer_uri_san: text,
  downstream_direct_remote_address: text,
});

type Line = z.output<typeof lineSchema>;

export interface IstioCall {
  readonly identity: DecisionIdentity;
  readonly callee: Workload;
  readonly address: string;
  readonly at: Date;
}

/** Whose proxy has such an address and port. */
export type FindWorkloads = (address: string, port: number) => readonly Workload[];

/**
 * A line of a callee's log. Undefined for what is no decision on a call to a workload: calls that a workload made, and
 * what its proxy answered before policies were asked.
 * @param periodOf begin of the period of a time
 * @throws CitadelError InvalidArgument for what is no such line, or of a workload that nobody knows
 */
export function readIstioLine(
  line: string,
  find: FindWorkloads,
  periodOf: (at: Date) => Date,
): IstioCall | undefined {
  const given = parseJson(line);
  const read = parseLine(given);
  const decision = decisionOf(read);
  if (!decision || !isInbound(read)) return undefined;
  const { address, port } = socket(read.downstream_local_address);
  const [callee, another] = find(address, port);
  if (!callee) throw fault(`no workload has the address ${address}`);
  if (another) throw fault(`more than one workload has the address ${address} and port ${port}`);
  const caller = read.downstream_peer_uri_san;
  // The name by which mesh proxies call each other shows mutual TLS, also where the log does not name the caller.
  const isMutual = caller !== undefined || read.requested_server_name?.startsWith('outbound_') === true;
  const knowsCaller = caller !== undefined || Object.hasOwn(given, 'downstream_peer_uri_san');
  const direct = read.downstream_direct_remote_address && socket(read.downstream_direct_remote_address);
  const path = read.path?.split('?', 1)[0];
  const entry: AccessLogEntry = {
    workload: callee.id,
    port,
    transport: isMutual ? 'mtls' : 'plaintext',
    callerId: caller === undefined ? undefined : spiffeId(caller),
    callerAddress: direct ? direct.address : '',
    method: read.method,
    path: path === undefined ? undefined : (normalizePath(path) ?? path),
    host: read.authority,
    serverName: read.requested_server_name,
    at: read.start_time,
    sampled: false,
    first: true,
    ...decision,
  };
  const identity = identityOfEntry(entry, new Set(callee.ports.map((each) => each.port)), periodOf(entry.at));
  if (!identity) return undefined;
  const lacks: readonly RecordedAttribute[] = [
    ...identity.lacks,
    ...(knowsCaller ? [] : (['caller'] as const)),
    ...(knowsCaller || isMutual ? [] : (['transport'] as const)),
    ...(direct ? [] : (['address'] as const)),
  ];
  return { identity: { ...identity, lacks }, callee, address: entry.callerAddress, at: entry.at };
}

type Decision = Pick<AccessLogEntry, 'decision' | 'unproved' | 'policy' | 'rule' | 'reason'>;

/** Only behind the policies does a router, or the application, say such a thing. */
const behindPolicies =
  /^(?:via_upstream|upstream_|no_healthy_upstream|response_timeout|cluster_not_found|route_not_found)/;
const byPolicies = /^(?:rbac_access_denied|jwt_authn|ext_authz)/;

function decisionOf({ method, ...line }: Line): Decision | undefined {
  const details = line.connection_termination_details ?? line.response_code_details;
  const open = { unproved: false, policy: undefined, rule: undefined, reason: undefined };
  if (details !== undefined && byPolicies.test(details)) {
    const by = parseRuleId(/\[(ns\[.*\])\]$/.exec(details)?.[1] ?? '');
    return {
      ...open,
      decision: 'denied',
      reason: details,
      policy: by && `${by.namespace}/${by.name}`,
      rule: by?.rule,
    };
  }
  if (details === undefined) return method === undefined ? { ...open, decision: 'allowed' } : undefined;
  return behindPolicies.test(details) ? { ...open, decision: 'allowed' } : undefined;
}

function isInbound({ upstream_cluster: cluster, ...line }: Line): boolean {
  if (cluster !== undefined) return /^inbound\||^InboundPassthroughCluster/.test(cluster);
  // Refused before a cluster was chosen; what a workload's own calls are refused by is no policy.
  return byPolicies.test(line.connection_termination_details ?? line.response_code_details ?? '');
}

function socket(written: string | undefined): { readonly address: string; readonly port: number } {
  const [, v6, v4, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(written ?? '') ?? [];
  const address = v6 ?? v4;
  if (address === undefined) throw fault('downstream_local_address: is no address with a port');
  return { address, port: Number(port) };
}

function spiffeId(written: string): string {
  try {
    return SpiffeId.parse(written).toString();
  } catch (cause) {
    throw new CitadelError('InvalidArgument', 'downstream_peer_uri_san: is no SPIFFE ID', { cause });
  }
}

function parseLine(given: object): Line {
  const parsed = lineSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw fault(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is no line of an access log'}`);
}

function parseJson(line: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw fault('is no JSON');
  }
  if (typeof value === 'object' && value !== null) return value;
  throw fault('is no JSON object');
}

function fault(message: string): CitadelError {
  return new CitadelError('InvalidArgument', message);
}
