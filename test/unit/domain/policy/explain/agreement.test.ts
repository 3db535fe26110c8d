import { describe, expect, test } from 'vitest';
import {
  type Decision,
  type DecisionContext,
  decide,
  type Explanation,
  explain,
  type Policy,
  type PolicyRequest,
  type RequestAttribute,
  type Verdict,
} from '../../../../../src/domain/policy/index.ts';
import {
  aimedConnection,
  Coverage,
  call,
  claimSets,
  connections,
  policySet,
  Random,
  words,
} from '../../../../oracle/generate/index.ts';
import { connectionRequest, policyRequest } from '../../../../oracle/policy-request.ts';

interface Case {
  readonly policies: readonly Policy[];
  readonly request: PolicyRequest;
  readonly context: DecisionContext;
}

const tokens = claimSets(new Random(7), 120).map((claims) => ({ claims }));
const ports = [8080, 9090];

/** Policies and requests that were made to meet, as the comparison with a real Envoy has them. */
function* cases(seed: number, sets: number, perSet: number): Generator<Case> {
  const random = new Random(seed);
  const coverage = new Coverage();
  const making = { random, ports: ports.map(String), coverage };
  const all = connections(random, ports, 48);
  for (const layer of ['http', 'tcp'] as const) {
    for (let set = 0; set < sets; set += 1) {
      const { policies, bases } = policySet(making, layer);
      for (let index = 0; index < perSet; index += 1) {
        const request =
          layer === 'http'
            ? policyRequest(
                call(
                  random,
                  bases,
                  all,
                  tokens.map(({ claims }) => claims),
                  coverage,
                ),
                tokens,
              )
            : connectionRequest(aimedConnection(random, bases, all));
        yield { policies, request, context: contextOf(layer === 'tcp', random) };
      }
    }
  }
}

function contextOf(tcp: boolean, random: Random): DecisionContext {
  const verdicts = Object.keys(words.providers).map(
    (name) => [name, random.chance(0.6) ? 'allow' : 'deny'] as const satisfies readonly [string, Verdict],
  );
  const { trustDomain, trustDomainAliases } = words;
  return { trustDomain, trustDomainAliases, tcp, customVerdicts: new Map(verdicts) };
}

function said({ verdict, step, by }: Explanation) {
  return { verdict, step, by: by && { namespace: by.policy.namespace, name: by.policy.name, rule: by.rule } };
}

function decided({ verdict, step, by }: Decision) {
  return { verdict, step, by };
}

describe('an explanation of generated requests', () => {
  test('says what policies decide, by the same step and the same rule', () => {
    const seen = new Map<string, number>();
    for (const { policies, request, context } of cases(11, 250, 12)) {
      const explanation = explain(policies, request, context);
      const decision = decide(policies, request, context);
      expect(said(explanation)).toEqual(decided(decision));
      const kind = `${decision.verdict} by ${decision.step}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    // Each way to decide is among them, so that none goes without a look.
    expect(
      [...seen]
        .filter(([, count]) => count > 30)
        .map(([kind]) => kind)
        .toSorted(),
    ).toEqual(
      [
        'allow by ALLOW',
        'allow by default',
        'deny by ALLOW',
        'deny by CUSTOM',
        'deny by DENY',
        'deny by PATH',
      ].toSorted(),
    );
  });

  test('of which only a part is known, gives no verdict that the whole does not come to', () => {
    const random = new Random(3);
    let settled = 0;
    let open = 0;
    for (const { policies, request, context } of cases(12, 250, 12)) {
      const hidden = hide(random);
      const unanswered = new Set([...context.customVerdicts.keys()].filter(() => random.chance(0.3)));
      const customVerdicts = new Map([...context.customVerdicts].filter(([name]) => !unanswered.has(name)));
      const known = { isKnown: (attribute: RequestAttribute) => !hidden(attribute), unanswered };
      const explanation = explain(policies, blanked(request, hidden), { ...context, customVerdicts }, known);
      const decision = decide(policies, request, context);
      if (explanation.takenAsPlain.length > 0 && decision.step === 'PATH') continue;
      if (explanation.verdict === 'depends') {
        open += 1;
        const { attributes, providers } = explanation.dependsOn;
        expect(attributes.length + providers.length).toBeGreaterThan(0);
        for (const attribute of attributes) expect(hidden(attribute), attribute).toBe(true);
        for (const provider of providers) expect(unanswered).toContain(provider);
      } else {
        settled += 1;
        expect(explanation.verdict).toBe(decision.verdict);
      }
    }
    expect(settled).toBeGreaterThan(1000);
    expect(open).toBeGreaterThan(400);
  });

  test('names entries that match, and of what missed what it missed by', () => {
    let near = 0;
    for (const { policies, request, context } of cases(13, 100, 12)) {
      const { by, near: missed, steps } = explain(policies, request, context, { most: 1000 });
      for (const finding of by?.fields ?? []) expect(finding.outcome).toBe('matches');
      for (const { rules } of steps) for (const { outcome } of rules) expect(outcome).toBe('matches');
      for (const rule of missed) {
        near += 1;
        expect(rule.fields.some(({ outcome }) => outcome === 'misses')).toBe(true);
      }
      const distances = missed.map(
        ({ fields }) => fields.filter(({ outcome }) => outcome === 'misses').length,
      );
      expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    }
    expect(near).toBeGreaterThan(500);
  });
});

/** Chooses what nobody knows: each attribute by itself, all headers and all metadata together. */
function hide(random: Random): (attribute: RequestAttribute) => boolean {
  const chosen = new Map<string, boolean>();
  return (attribute) => {
    const key = attribute.replace(/^(experimental|request\.headers).*/, '$1');
    const known = chosen.get(key) ?? random.chance(0.25);
    chosen.set(key, known);
    return known;
  };
}

/** Something else in the place of what is hidden, so that nobody can have looked at it. */
function blanked(request: PolicyRequest, hidden: (attribute: RequestAttribute) => boolean): PolicyRequest {
  const { http, sourcePrincipal, jwt, sni, ...rest } = request;
  const kept = <T>(attribute: RequestAttribute, value: T) => (hidden(attribute) ? undefined : value);
  const address = (attribute: RequestAttribute, value: string) => (hidden(attribute) ? '192.0.2.99' : value);
  return {
    ...rest,
    sourcePrincipal: kept('source.principal', sourcePrincipal),
    jwt: kept('request.token', jwt),
    sni: kept('connection.sni', sni),
    sourceIp: address('source.ip', request.sourceIp),
    remoteIp: address('remote.ip', request.remoteIp),
    destinationIp: address('destination.ip', request.destinationIp),
    destinationPort: hidden('destination.port') ? 1 : request.destinationPort,
    ...(hidden('experimental.x[y]') ? { metadata: undefined } : {}),
    http: http && {
      method: hidden('request.method') ? 'ANY' : http.method,
      path: hiddenPath(http.path, hidden),
      host: hidden('request.host') ? 'any' : http.host,
      headers: hidden('request.headers[x]') ? {} : http.headers,
    },
  };
}

function hiddenPath(path: string, hidden: (attribute: RequestAttribute) => boolean): string {
  const [before = ''] = path.split('?', 1);
  if (hidden('request.path')) return '/';
  return hidden('request.query') ? before : path;
}
