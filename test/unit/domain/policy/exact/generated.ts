import {
  type AuthorizationPolicy,
  decide,
  type PolicyRequest,
  type PolicyWorld,
  type Verdict,
} from '../../../../../src/domain/policy/index.ts';
import {
  Coverage,
  call,
  claimSets,
  connections,
  policySet,
  Random,
  words,
} from '../../../../oracle/generate/index.ts';
import { policyRequest } from '../../../../oracle/policy-request.ts';
import { believing, mesh, ports, workload } from '../mesh.ts';

export const httpPort = 8080;
export const tcpPort = 9000;
const cart = workload('shop/cart', {
  ports: ports([httpPort, 'http'], [tcpPort, 'tcp']),
});

/** Two worlds of which one has come of the other by what authors do, and calls that are aimed at both. */
export interface Pair {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
  readonly policies: readonly [readonly AuthorizationPolicy[], readonly AuthorizationPolicy[]];
  readonly requests: readonly PolicyRequest[];
}

function worldOf(policies: readonly AuthorizationPolicy[]): PolicyWorld {
  const { trustDomain, trustDomainAliases, providers } = words;
  const world = mesh([cart], [...policies, believing('shop/tokens')], [], {
    trustDomain,
    trustDomainAliases: [...trustDomainAliases],
  });
  return {
    ...world,
    settings: {
      ...world.settings,
      authorizationProviders: Object.keys(providers).map((name) => ({ name })),
    },
  };
}

/** @param calls how many requests are aimed at the pair */
export function pairOf(seed: number, calls: number): Pair {
  const random = new Random(seed);
  const coverage = new Coverage();
  const making = { random, ports: [String(httpPort), String(tcpPort)], coverage };
  const layer = random.chance(0.3) ? 'tcp' : 'http';
  const [own, other] = [policySet(making, layer), policySet(making, layer)];
  const held = (policies: readonly AuthorizationPolicy[], prefix: string) =>
    policies.map((policy, index) => ({
      ...policy,
      meta: { ...policy.meta, namespace: 'shop', name: `${prefix}${index}` },
    }));
  const before = held(own.policies, 'a');
  const after = changed(random, before, held(other.policies, 'b'));
  const all = connections(random, [httpPort, tcpPort], 24);
  const claims = claimSets(random, 40);
  const tokens = claims.map((each) => ({ claims: each }));
  const requests = Array.from({ length: calls }, (_, index) =>
    policyRequest(call(random, index % 2 === 0 ? own.bases : other.bases, all, claims, coverage), tokens),
  );
  return { before: worldOf(before), after: worldOf(after), policies: [before, after], requests };
}

function changed(
  random: Random,
  before: readonly AuthorizationPolicy[],
  others: readonly AuthorizationPolicy[],
): readonly AuthorizationPolicy[] {
  const at = random.int(before.length);
  const [one] = before.slice(at);
  if (!one) return others;
  const put = (...policies: readonly AuthorizationPolicy[]) => [
    ...before.slice(0, at),
    ...policies,
    ...before.slice(at + 1),
  ];
  return random.weighted<readonly AuthorizationPolicy[]>([
    [2, put()],
    [2, [...before, ...others.slice(0, 1)]],
    [2, put(...others.slice(0, 1))],
    [1, others],
    [1, put({ ...one, action: one.action === 'ALLOW' ? 'DENY' : 'ALLOW', provider: undefined })],
    [1, put({ ...one, rules: one.rules.slice(1) })],
    [1, put({ ...one, rules: [...one.rules, ...(others[0]?.rules ?? [])] })],
    // The same, written in another way.
    [1, before.toReversed()],
    [
      1,
      put(
        ...one.rules.map((rule, index) => ({
          ...one,
          rules: [rule],
          meta: { ...one.meta, name: `s${index}` },
        })),
      ),
    ],
    [1, put({ ...one, rules: [...one.rules, ...one.rules] })],
  ]);
}

export function verdictOf(
  policies: readonly AuthorizationPolicy[],
  request: PolicyRequest,
  providers: Readonly<Record<string, Verdict>>,
): Verdict {
  const tcp = request.destinationPort === tcpPort;
  return decide(policies, request, {
    trustDomain: words.trustDomain,
    trustDomainAliases: words.trustDomainAliases,
    tcp,
    customVerdicts: new Map(Object.entries(providers)),
  }).verdict;
}
