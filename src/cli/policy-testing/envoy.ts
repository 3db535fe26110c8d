import type { JudgedPlace, Reply } from '../../app/envoy-judge.ts';
import {
  type CaseResult,
  enforcedMode,
  type MadeCall,
  mutualTlsModeOf,
  type Policy,
  type PolicyWorld,
  type TestRun,
} from '../../domain/policy/index.ts';

/** A call, and the place at which Envoy is to judge it. */
interface Judged {
  readonly made: MadeCall;
  readonly place: JudgedPlace;
}

/**
 * Has a real Envoy decide the same calls. What it decides otherwise is a failure of the case, beside what it has already.
 * @returns skipped: calls that no Envoy can be asked here: what other filters left, connections that a provider is asked
 * about, and callers by an address that this machine has not
 */
export async function judgeByEnvoy(
  run: TestRun,
  world: PolicyWorld,
  binary: string,
): Promise<{ readonly cases: readonly CaseResult[]; readonly skipped: number }> {
  const places = new Map<string, JudgedPlace>();
  const judged: Judged[] = [];
  for (const made of run.made) {
    const place = placeOf(made, world, places);
    if (place) judged.push({ made, place });
  }
  const skipped = run.made.length - judged.length;
  if (judged.length === 0) return { cases: run.cases, skipped };
  const { startEnvoyJudge } = await import('../../app/envoy-judge.ts');
  const { trustDomain, trustDomainAliases } = world.settings;
  await using judge = await startEnvoyJudge([...places.values()], {
    binary,
    trustDomain,
    trustDomainAliases,
  });
  const failures = new Map<CaseResult, string[]>();
  for (const { made, place } of judged) {
    const { request } = made.outcome.asked.comparison.facts;
    const reply = await judge.ask(place, { request, token: made.call.token });
    if (meaningOf(reply, place.protocol === 'tcp').includes(made.outcome.outcome)) continue;
    const told = `${made.description}: Envoy ${replyText(reply)}, but it is decided as ${made.outcome.outcome}: ${made.outcome.reason}`;
    failures.set(made.result, [...(failures.get(made.result) ?? []), told]);
  }
  return {
    cases: run.cases.map((each) => ({
      ...each,
      failures: [...each.failures, ...(failures.get(each) ?? [])],
    })),
    skipped,
  };
}

/** Undefined for what no Envoy can be asked. */
function placeOf(
  { call, callees, outcome }: MadeCall,
  world: PolicyWorld,
  places: Map<string, JudgedPlace>,
): JudgedPlace | undefined {
  const { policies, protocol, members } = callees;
  const [{ workload, port }] = members;
  const asksProviders = policies.some(
    (policy) => policy.kind === 'AuthorizationPolicy' && policy.action === 'CUSTOM',
  );
  if (outcome.outcome === 'open' || workload.proxy === 'none') return undefined;
  if (call.metadata !== undefined || (protocol === 'tcp' && asksProviders)) return undefined;
  if (looksAtSource(policies) && isElsewhere(outcome)) return undefined;
  const mode = enforcedMode(mutualTlsModeOf(policies, port), world.strict.has(workload.id));
  const known = world.settings.authorizationProviders.map(({ name }) => name);
  const answers = Object.fromEntries(known.map((name) => [name, call.custom[name] ?? ('allow' as const)]));
  const key = JSON.stringify([workload.id, port, answers]);
  const place = places.get(key) ?? {
    name: `place-${places.size}`,
    policies,
    port,
    protocol,
    mode,
    answers,
  };
  places.set(key, place);
  return place;
}

function looksAtSource(policies: readonly Policy[]): boolean {
  return policies.some(
    (policy) =>
      policy.kind === 'AuthorizationPolicy' &&
      policy.rules.some(
        ({ from, when }) =>
          from.some(({ ipBlocks, notIpBlocks }) => ipBlocks.length + notIpBlocks.length > 0) ||
          when.some(({ key }) => key === 'source.ip'),
      ),
  );
}

/** Nobody calls from an address that this machine has not, but for those of the loopback. */
function isElsewhere({ asked: { comparison } }: MadeCall['outcome']): boolean {
  return comparison.isKnown('source.ip') && !comparison.facts.request.sourceIp.startsWith('127.');
}

/** What an outcome may be of which Envoy says this; of any other reply it is none. */
function meaningOf(reply: Reply, tcp: boolean): readonly MadeCall['outcome']['outcome'][] {
  switch (reply) {
    case 200:
    case 'open':
      return ['allowed'];
    case 401:
      return ['unauthorized'];
    case 403:
    // Of a path that has no canonical form.
    case 400:
      return ['denied'];
    // A connection is ended by whatever refuses it.
    case 'closed':
      return tcp ? ['refused', 'denied'] : ['refused'];
    default:
      return [];
  }
}

function replyText(reply: Reply): string {
  if (reply === 'open') return 'lets the connection in';
  return reply === 'closed' ? 'ends the connection' : `answers ${reply}`;
}
