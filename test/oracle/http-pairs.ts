import { recordedDecision } from '../../src/adapters/envoy/authorization/index.ts';
import { type DecisionContext, decide, type PolicyRequest } from '../../src/domain/policy/index.ts';
import { exchangeAll, open, type RawReply, type RawRequest } from './client.ts';
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
import { metadataLines } from './left-metadata.ts';
import { comparable, type Outcome, outcomeOf, Tally } from './tally.ts';
import type { World } from './world.ts';

export interface Making {
  readonly random: Random;
  readonly world: World;
  readonly coverage: Coverage;
}

export interface HttpPair {
  readonly set: number;
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
  const byConnection = new Map<Connection, HttpPair[]>();
  for (const [set, { bases }] of sets.entries()) {
    for (let count = 0; count < perSet; count += 1) {
      const made = call(random, bases, all, world.tokens.length, coverage);
      const own = byConnection.get(made.connection) ?? [];
      byConnection.set(made.connection, [...own, { set, call: made }]);
    }
  }
  let tally = new Tally();
  const one = async (connection: Connection, pairs: readonly HttpPair[]) => {
    const credentials = connection.identity === undefined ? undefined : world.peers.get(connection.identity);
    const replies = await exchangeAll(
      () => open(connection, credentials),
      pairs.map((pair) => rawRequest(pair, world)),
    );
    tally = tally.plus(
      Tally.of(
        pairs.map((pair, index) => {
          const policies = sets[pair.set]?.policies ?? [];
          const request = policyRequest(pair.call, world);
          const ours = outcomeOf(decide(policies, request, { ...meshContext, tcp: false }));
          const reply = replies[index];
          if (reply === undefined) throw new Error('a call without a reply');
          const envoys = envoysOutcome(reply, policies);
          return {
            ours,
            envoys,
            pair: {
              policies,
              request,
              details: reply.headers.get(detailsHeader),
              metadata: reply.headers.get(metadataHeader),
            },
          };
        }),
      ),
    );
  };
  await atOnce(
    6,
    [...byConnection].map(
      ([connection, pairs]) =>
        () =>
          one(connection, pairs),
    ),
  );
  return tally;
}

/** A single connection would wait more than it works. */
async function atOnce(limit: number, jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = jobs.values();
  const worker = async () => {
    for (const job of left) await job();
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

function rawRequest({ set, call: made }: HttpPair, { tokens }: World): RawRequest {
  const lines = [
    `${made.method} ${made.path} HTTP/1.1`,
    `Host: ${made.host}`,
    `${setHeader}: ${set}`,
    ...made.headers.map(([name, value]) => `${name}: ${value}`),
    ...metadataLines(made.metadata),
    ...(made.clientIp === undefined ? [] : [`X-Forwarded-For: ${made.clientIp}`]),
    ...(made.token === undefined ? [] : [`Authorization: Bearer ${tokens[made.token]?.text}`]),
  ];
  return { head: made.method === 'HEAD', text: `${lines.join('\r\n')}\r\n\r\n` };
}

function policyRequest(made: Call, { tokens }: World): PolicyRequest {
  const { connection, clientIp, token } = made;
  const headers: Record<string, string[]> = {};
  for (const [name, value] of made.headers) headers[name] = [...(headers[name] ?? []), value];
  const jwt = token === undefined ? undefined : tokens[token]?.claims;
  const issuer = jwt?.['iss'];
  return {
    http: { method: made.method, path: made.path, host: made.host, headers },
    sourcePrincipal: connection.identity,
    sourceIp: connection.sourceIp,
    remoteIp: clientIp ?? connection.sourceIp,
    destinationIp: connection.destinationIp,
    destinationPort: connection.port,
    sni: connection.sni,
    jwt,
    spaceDelimitedClaims: typeof issuer === 'string' ? words.spaceDelimited[issuer] : undefined,
    metadata: { [words.metadataFilter]: made.metadata },
  };
}

const providerNames = Object.keys(words.providers).sort();

function envoysOutcome({ status, headers }: RawReply, policies: PolicySet['policies']): Outcome {
  const details = headers.get(detailsHeader) ?? '';
  if (status === 400) return { verdict: 'deny', step: 'PATH', by: undefined, audit: undefined, dryRun: [] };
  if (status !== 200 && status !== 403)
    throw new Error(`the oracle does not understand ${status}, ${details}`);
  const fields = fieldsSchema.parse(JSON.parse(headers.get(metadataHeader) ?? '{}'));
  const refused = status === 403;
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
