import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { decisionMarker, recordedDecision } from '../../src/adapters/envoy/authorization/index.ts';
import { decide, type PolicyRequest } from '../../src/domain/policy/index.ts';
import { waitFor } from '../parts/index.ts';
import { closed, open } from './client.ts';
import { countDecided } from './decided.ts';
import { fieldsSchema } from './fields.ts';
import { aimedConnection, connections, type PolicySet } from './generate/index.ts';
import { type Making, meshContext } from './http-pairs.ts';
import { tcpAddress } from './listeners.ts';
import { connectionRequest } from './policy-request.ts';
import { comparable, outcomeOf, Tally } from './tally.ts';

interface Options {
  readonly port: number;
  readonly perSet: number;
  readonly log: string;
  readonly patience: number;
  /** Whether connections are decided by our rendering, and not by one that is wrong on purpose. */
  readonly isOurs: boolean;
}

/** Only gRPC providers can be asked about a connection: the others are as if they were not there. */
const context = {
  ...meshContext,
  tcp: true,
  customVerdicts: new Map([...meshContext.customVerdicts].filter(([name]) => name.endsWith('-grpc'))),
};
const marksOf = decisionMarker(meshContext);
const providerNames = [...context.customVerdicts.keys()].sort();

export async function tcpPairs(
  { random, world, coverage }: Making,
  sets: readonly PolicySet[],
  { port, perSet, log, patience, isOurs }: Options,
): Promise<Tally> {
  const all = connections(random, [port], 48).filter(({ sourceIp }) => !sourceIp.includes(':'));
  const tried: {
    policies: PolicySet['policies'];
    request: PolicyRequest;
    allowed: boolean;
    ends: string;
  }[] = [];
  for (const [set, { policies, bases }] of sets.entries()) {
    const calls = Array.from({ length: perSet }, () => aimedConnection(random, bases, all));
    // All of a set at once: the kernel gives no port a second time while its first connection is open, and the next set
    // has another destination. So both ends together name a connection, which the caller's alone would not.
    const results = await Promise.all(
      calls.map(async (chosen) => {
        const connection = { ...chosen, destinationIp: tcpAddress(set) };
        const credentials =
          connection.identity === undefined ? undefined : world.peers.get(connection.identity);
        return {
          policies,
          request: connectionRequest(connection),
          ...(await attempt(await open(connection, credentials))),
        };
      }),
    );
    tried.push(...results);
  }
  if (tried.length === 0) return new Tally();
  if (new Set(tried.map(({ ends }) => ends)).size < tried.length)
    throw new Error('two connections between the same ends');
  const logged = await waitFor(
    async () => {
      const lines = readLog(await readFile(log, 'utf8'));
      return tried.every(({ ends }) => lines.has(ends)) ? lines : undefined;
    },
    { deadline: patience, what: 'the log of all connections' },
  );
  return Tally.of(
    tried.map(({ policies, request, allowed, ends }) => {
      const recorded = recordedDecision(logged.get(ends) ?? {}, !allowed, providerNames);
      if (isOurs) checkMarks(policies, recorded);
      const envoys = comparable({ verdict: allowed ? 'allow' : 'deny', ...recorded });
      const ours = outcomeOf(decide(policies, request, context));
      countDecided(coverage, 'connection', policies, ours);
      return { ours, envoys, pair: { policies, request } };
    }),
  );
}

/** What a proxy says of the rules that it decided by is what is known of these policies. */
function checkMarks(
  policies: PolicySet['policies'],
  { step, marks }: ReturnType<typeof recordedDecision>,
): void {
  if (step === 'CUSTOM') return;
  const { deny, allow } = marksOf(policies, 'network');
  if (marks.deny !== deny || (step !== 'DENY' && marks.allow !== allow))
    throw new Error(`decided by ${JSON.stringify(marks)}, and not by ${JSON.stringify({ deny, allow })}`);
}

/** The first bytes decide: they come back, or the connection ends. Fewer would leave the inspector of TLS in doubt. */
export async function attempt(
  socket: Socket,
  bytes = 'hello, is anybody there?',
): Promise<{ allowed: boolean; ends: string }> {
  const ends = `${socket.localAddress}:${socket.localPort} ${socket.remoteAddress}:${socket.remotePort}`;
  let allowed = false;
  socket.on('data', () => {
    allowed = true;
    socket.destroy();
  });
  socket.on('end', () => socket.destroy());
  socket.write(bytes, 'latin1');
  await closed(socket);
  return { allowed, ends };
}

function readLog(text: string): Map<string, Record<string, unknown>> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [ends = '', fields = '{}'] = line.split('\t', 2);
        return [ends, fields === '-' ? {} : fieldsSchema.parse(JSON.parse(fields))] as const;
      }),
  );
}
