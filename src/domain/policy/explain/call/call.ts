import { isIP } from 'node:net';
import type { Workload } from '../../../mesh/index.ts';
import {
  type DecisionContext,
  type HttpAttributes,
  type PolicyRequest,
  type Verdict,
} from '../../decide/index.ts';
import type { PolicyLocator } from '../../read/index.ts';
import { askableProviders, type PolicyWorld } from '../../world/index.ts';
import type { RequestAttribute } from '../attributes.ts';
import { explain } from '../explain.ts';
import type { Explanation } from '../model.ts';
import type { CalleeGroup } from './alike.ts';
import type { Caller } from './caller.ts';
import { type GivenToken, type TokenFinding, tokenOf } from './token.ts';
import { type TransportFinding, transportOf } from './transport.ts';

/** What is said of a call. What is not said is not known, but for what the registry tells. */
export interface GivenCall {
  readonly transport?: TransportFinding['kind'] | undefined;
  readonly method?: string | undefined;
  /** With its query, where it has one. */
  readonly path?: string | undefined;
  /** Whether `path` is all of it; false where its query was left out. */
  readonly withQuery: boolean;
  readonly host?: string | undefined;
  readonly headers: HttpAttributes['headers'];
  /** Whether the request has no other headers, but for those that proxies set themselves. */
  readonly noOtherHeaders: boolean;
  readonly token: GivenToken;
  readonly sourceIp?: string | undefined;
  readonly remoteIp?: string | undefined;
  readonly destinationIp?: string | undefined;
  /** Empty: it has none. */
  readonly sni?: string | undefined;
  /** What each provider would say. */
  readonly answers: ReadonlyMap<string, Verdict>;
  /** What other filters have left, by filter and name; undefined: that is not known. */
  readonly metadata?: PolicyRequest['metadata'];
}

/** Who refuses a call, or lets it pass: the transport, the check of its token, the policies, or nobody, for nobody looks. */
export type DecidedBy = 'transport' | 'token' | 'policies' | 'nobody';

export interface CallExplanation {
  readonly verdict: Explanation['verdict'];
  readonly decidedBy: DecidedBy;
  /** What the verdict hangs on, and is not known. */
  readonly dependsOn: Explanation['dependsOn'];
  readonly caller: { readonly identity: string | undefined; readonly workloads: readonly string[] };
  readonly callee: CalleeFinding;
  readonly transport: TransportFinding;
  /** Absent where the port is not HTTP. */
  readonly token: TokenFinding | undefined;
  readonly policies: Explanation;
}

export interface CalleeFinding {
  readonly workload: string;
  readonly port: number;
  readonly protocol: Workload['ports'][number]['protocol'];
  /** Other workloads of which the same holds. */
  readonly alike: readonly string[];
}

export interface CallQuestion {
  readonly world: PolicyWorld;
  readonly caller: Caller;
  /** Under which the same holds, as `alikeCallees` puts them together. */
  readonly callees: CalleeGroup;
  readonly call: GivenCall;
  readonly now: Date;
  readonly locate?: PolicyLocator;
  readonly most?: number;
}

/** A call as its callee's proxy sees it, before its policies are asked. */
export interface SeenCall extends Known {
  readonly transport: TransportFinding;
  /** As it would be judged where the port is HTTP. */
  readonly token: TokenFinding;
  readonly context: DecisionContext;
}

export function seenCall(question: CallQuestion): SeenCall {
  const { world, caller, callees, call, now, locate = () => undefined } = question;
  const { policies, protocol, members } = callees;
  const tcp = protocol === 'tcp';
  const transport = transportOf({
    world,
    caller,
    callee: members[0],
    policies,
    said: call.transport,
    locate,
  });
  const token = tokenOf(policies, call.token, now, locate);
  return {
    transport,
    token: token.finding,
    ...requestOf(question, transport, token, tcp),
    context: contextOf(world, call, tcp),
  };
}

/** All that becomes of a call, in the order in which it is decided. @throws CitadelError as `explain` does */
export function explainCall(question: CallQuestion): CallExplanation {
  const { world, caller, callees, call, locate = () => undefined, most } = question;
  const { policies, protocol, members } = callees;
  const [{ workload, port }, ...others] = members;
  const tcp = protocol === 'tcp';
  const { transport, token, request, isKnown, context } = seenCall(question);
  const explanation = explain(policies, request, context, {
    isKnown,
    unanswered: unanswered(world, call, tcp),
    locate,
    ...(most === undefined ? {} : { most }),
  });
  const settled = settle(explanation, transport, tcp ? undefined : token);
  return {
    ...settled,
    dependsOn: settled.verdict === 'depends' ? hangsOn(explanation, token) : nothing,
    caller: { identity: caller.identity, workloads: caller.workloads.map(({ id }) => id) },
    callee: { workload: workload.id, port, protocol, alike: others.map((other) => other.workload.id) },
    transport,
    token: tcp ? undefined : token,
    policies: explanation,
  };
}

function settle(
  { verdict, step }: Explanation,
  { outcome }: TransportFinding,
  token: TokenFinding | undefined,
): Pick<CallExplanation, 'verdict' | 'decidedBy'> {
  if (outcome === 'unjudged') return { verdict: 'allow', decidedBy: 'nobody' };
  if (outcome === 'refused') return { verdict: 'deny', decidedBy: 'transport' };
  const early = verdict === 'deny' && (step === 'PATH' || step === 'CUSTOM');
  if (token?.outcome === 'refused' && !early) return { verdict: 'deny', decidedBy: 'token' };
  // Where there may be a token, there may be one that is refused.
  return {
    verdict: token?.outcome === 'depends' && verdict === 'allow' ? 'depends' : verdict,
    decidedBy: 'policies',
  };
}

const nothing: Explanation['dependsOn'] = { attributes: [], providers: [] };

function hangsOn({ dependsOn }: Explanation, { outcome }: TokenFinding): Explanation['dependsOn'] {
  if (outcome !== 'depends') return dependsOn;
  return {
    ...dependsOn,
    attributes: [...new Set<RequestAttribute>([...dependsOn.attributes, 'request.token'])].toSorted(),
  };
}

function contextOf(world: PolicyWorld, { answers }: GivenCall, tcp: boolean): DecisionContext {
  const { trustDomain, trustDomainAliases } = world.settings;
  const asked = askableProviders(world.settings, tcp);
  const customVerdicts = new Map([...answers].filter(([name]) => asked.includes(name)));
  return { trustDomain, trustDomainAliases, tcp, customVerdicts };
}

function unanswered(world: PolicyWorld, { answers }: GivenCall, tcp: boolean): ReadonlySet<string> {
  return new Set(askableProviders(world.settings, tcp).filter((name) => !answers.has(name)));
}

interface Known {
  readonly request: PolicyRequest;
  readonly isKnown: (attribute: RequestAttribute) => boolean;
}

/** Stands in the place of what is not known; nobody looks at it. */
const anyAddress = '192.0.2.1';

function requestOf(
  { caller, callees: { members }, call }: CallQuestion,
  { kind }: TransportFinding,
  { rule, finding }: ReturnType<typeof tokenOf>,
  tcp: boolean,
): Known {
  const sourceIp = call.sourceIp ?? onlyAddress(caller.workloads);
  const remoteIp = call.remoteIp ?? (tcp ? sourceIp : clientIp(call, sourceIp));
  const destinationIp = call.destinationIp ?? onlyAddress(members.map(({ workload }) => workload));
  const { method, path, host, headers, sni } = call;
  // Callers' proxies name no server.
  const noSni = kind === 'plaintext' || caller.workloads.length > 0;
  const unknown = new Set<RequestAttribute>([
    ...(sourceIp === undefined ? ['source.ip' as const] : []),
    ...(remoteIp === undefined ? ['remote.ip' as const] : []),
    ...(destinationIp === undefined ? ['destination.ip' as const] : []),
    ...(method === undefined ? ['request.method' as const] : []),
    ...(path === undefined ? ['request.path' as const] : []),
    ...(path === undefined || !call.withQuery ? ['request.query' as const] : []),
    ...(host === undefined ? ['request.host' as const] : []),
    ...(sni === undefined && !noSni ? ['connection.sni' as const] : []),
    ...(finding.outcome === 'depends' ? ['request.token' as const] : []),
  ]);
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return {
    request: {
      ...(tcp
        ? {}
        : { http: { method: method ?? 'GET', path: path ?? '/', host: host ?? 'unknown', headers } }),
      sourcePrincipal: kind === 'mtls' ? caller.identity : undefined,
      sourceIp: sourceIp ?? anyAddress,
      remoteIp: remoteIp ?? anyAddress,
      destinationIp: destinationIp ?? anyAddress,
      destinationPort: members[0].port,
      sni: sni === '' ? undefined : sni,
      ...(rule && typeof call.token === 'object'
        ? { jwt: call.token, spaceDelimitedClaims: rule.spaceDelimitedClaims }
        : {}),
      ...(call.metadata && { metadata: call.metadata }),
    },
    isKnown(attribute) {
      if (attribute.startsWith('experimental.')) return call.metadata !== undefined;
      const header = /^request\.headers\[(.*)\]$/.exec(attribute)?.[1];
      if (header === undefined) return !unknown.has(attribute);
      return given.has(header) || (call.noOtherHeaders && !setByProxies(header));
    },
  };
}

/** Headers that proxies add on the way, so that a caller cannot say that they are not there. */
function setByProxies(name: string): boolean {
  return /^x-(?:envoy-.*|request-id|forwarded-(?:proto|client-cert))$/.test(name);
}

/** As a request says that it was forwarded: the last one counts, and the connection's where nobody did. */
function clientIp({ headers, noOtherHeaders }: GivenCall, sourceIp: string | undefined): string | undefined {
  const given = Object.entries(headers).filter(([name]) => name.toLowerCase() === 'x-forwarded-for');
  const values: readonly string[] = given.flatMap(([, some]) => some);
  if (values.length === 0) return noOtherHeaders || given.length > 0 ? sourceIp : undefined;
  const last = values.join(',').split(',').at(-1)?.trim() ?? '';
  return isIP(last) === 0 ? undefined : last;
}

function onlyAddress(workloads: readonly Workload[]): string | undefined {
  const addresses = new Set(workloads.flatMap((each) => each.addresses));
  return addresses.size === 1 ? [...addresses][0] : undefined;
}
