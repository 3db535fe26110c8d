import { recordedDecision } from '../../src/adapters/envoy/authorization/index.ts';
import { type DecisionContext, decide } from '../../src/domain/policy/index.ts';
import { exchangeAll, open, type RawReply, type RawRequest } from './client.ts';
import { countDecided } from './decided.ts';
import { fieldsSchema } from './fields.ts';
import {
  type Call,
  type Connection,
  type Coverage,
  call,
  type PolicySet,
  type Random,
  words,
} from './generate/index.ts';
import { detailsHeader, metadataHeader, setHeader } from './http-listener.ts';
import { exchangeAllHttp2 } from './http2-client.ts';
import { metadataFields } from './left-metadata.ts';
import { policyRequest } from './policy-request.ts';
import { type Compared, comparable, type Outcome, outcomeOf, Tally } from './tally.ts';
import type { World } from './world.ts';

export interface Making {
  readonly random: Random;
  readonly world: World;
  readonly coverage: Coverage;
}

interface HttpPair {
  readonly set: number;
  readonly policies: PolicySet['policies'];
  readonly call: Call;
}

export const meshContext: Omit<DecisionContext, 'tcp'> = {
  trustDomain: words.trustDomain,
  trustDomainAliases: words.trustDomainAliases,
  customVerdicts: new Map(Object.entries(words.providers)),
};

/** All calls of one connection go over it one behind the other. */
export async function httpPairs(
  { random, world, coverage }: Making,
  sets: readonly PolicySet[],
  all: readonly Connection[],
  perSet: number,
): Promise<Tally> {
  const tokens = world.tokens.map(({ claims }) => claims);
  const pairs = sets.flatMap(({ policies, bases }, set) =>
    Array.from({ length: perSet }, (): HttpPair => {
      return { set, policies, call: call(random, bases, all, tokens, coverage) };
    }),
  );
  const replies = new Map<HttpPair, RawReply>();
  const one = async (connection: Connection, own: readonly HttpPair[]) => {
    const credentials = connection.identity === undefined ? undefined : world.peers.get(connection.identity);
    const exchange = connection.http === 'HTTP/2' ? exchangeAllHttp2 : exchangeAll;
    const received = await exchange(
      () => open(connection, credentials),
      own.map((pair) => rawRequest(pair, world)),
    );
    for (const [index, reply] of received.entries()) {
      const pair = own[index];
      if (pair !== undefined) replies.set(pair, reply);
    }
  };
  const byConnection = new Map<Connection, HttpPair[]>();
  for (const pair of pairs) {
    const { connection } = pair.call;
    byConnection.set(connection, [...(byConnection.get(connection) ?? []), pair]);
  }
  await atOnce(
    6,
    [...byConnection].map(
      ([connection, own]) =>
        () =>
          one(connection, own),
    ),
  );
  return Tally.of(
    pairs.map((pair) => {
      const reply = replies.get(pair);
      if (reply === undefined) throw new Error('a call without a reply');
      const compared = compare(pair, reply, world);
      countDecided(coverage, 'HTTP request', pair.policies, compared.ours);
      return compared;
    }),
  );
}

function compare({ policies, call: made }: HttpPair, reply: RawReply, world: World): Compared {
  const request = policyRequest(made, world.tokens);
  const details = reply.headers.get(detailsHeader);
  const metadata = reply.headers.get(metadataHeader);
  return {
    ours: outcomeOf(
      decide(policies, request, { ...meshContext, customVerdicts: verdicts(made), tcp: false }),
    ),
    envoys: envoysOutcome(reply, policies),
    pair: { policies, request, details, metadata },
  };
}

/** A single connection would wait more than it works. */
async function atOnce(limit: number, jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = jobs.values();
  const worker = async () => {
    for (const job of left) await job();
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/** Authorizers are asked with the method of the request; those that speak HTTP/1.1 take none in small letters. */
function verdicts({ method }: Call): DecisionContext['customVerdicts'] {
  const asked = [...meshContext.customVerdicts];
  return new Map(
    asked.map(([name, verdict]) => [
      name,
      name.endsWith('-http') && method !== method.toUpperCase() ? 'deny' : verdict,
    ]),
  );
}

function rawRequest({ set, call: made }: HttpPair, { tokens }: World): RawRequest {
  return {
    method: made.method,
    path: made.path,
    host: made.host,
    otherHost: made.otherHost,
    headers: [
      [setHeader, String(set)],
      ...made.headers,
      ...metadataFields(made.metadata),
      ...(made.clientIp === undefined ? [] : [['X-Forwarded-For', made.clientIp] as const]),
      ...(made.token === undefined ? [] : [['Authorization', `Bearer ${tokens[made.token]?.text}`] as const]),
    ],
  };
}

const providerNames = Object.keys(words.providers).sort();

function envoysOutcome({ status, headers }: RawReply, policies: PolicySet['policies']): Outcome {
  const details = headers.get(detailsHeader) ?? '';
  const asked = details === 'ext_authz_denied';
  if ((status === 400 && !asked) || details === 'absolute_path_rejected')
    return { verdict: 'deny', step: 'PATH', by: undefined, audit: undefined, dryRun: [] };
  if (status !== 200 && status !== 403 && !asked)
    throw new Error(`the oracle does not understand ${status}, ${details}`);
  const fields = fieldsSchema.parse(JSON.parse(headers.get(metadataHeader) ?? '{}'));
  const refused = status !== 200;
  const recorded = recordedDecision({ ...fields, ...refusal(details, policies) }, refused, providerNames);
  return comparable({ verdict: refused ? 'deny' : 'allow', ...recorded });
}

/** A filter that refuses writes its metadata behind its reply, for the access log: the reply itself knows less. */
function refusal(details: string, policies: PolicySet['policies']): Record<string, string> {
  const [, id] = /^rbac_access_denied_matched_policy\[(.*)\]$/.exec(details) ?? [];
  if (id === undefined) return {};
  if (id === 'none') return { citadel_allow_enforced_engine_result: 'denied' };
  const [, namespace, name] = /^ns\[(.*)\]-policy\[(.*)\]-rule/.exec(id) ?? [];
  const policy = policies.find(({ meta }) => meta.namespace === namespace && meta.name === name);
  const filter = policy === undefined ? 'path' : policy.action === 'DENY' ? 'deny' : 'custom_unavailable';
  return { [`citadel_${filter}_enforced_effective_policy_id`]: id };
}
