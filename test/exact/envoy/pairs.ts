import type { Workload } from '../../../src/domain/mesh/index.ts';
import type { AuthorizationPolicy, PolicyWorld } from '../../../src/domain/policy/index.ts';
import { Coverage, policySet, type Random, words } from '../../oracle/generate/index.ts';
import { edits } from '../edits.ts';
import { applied } from '../pairs.ts';
import { isWritable } from '../small.ts';
import { authentication, type Ports } from './asked.ts';

export interface SendablePair {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
}

/** Two worlds of one workload, with policies around what callers on this machine can really send. */
export function sendablePair(random: Random, ports: Ports): SendablePair {
  const making = { random, ports: [ports.http, ports.tcp].map(String), coverage: new Coverage() };
  const policies = policySet(making, random.chance(0.5) ? 'http' : 'tcp')
    .policies.slice(0, 2)
    .map(inShop)
    .filter(isWritable);
  const names = random.list(1, 2, () => random.pick(Object.keys(edits)));
  const edited = names
    .reduce<readonly AuthorizationPolicy[]>((some, name) => applied(edits[name], random, some), policies)
    .map(inShop);
  return { before: worldOf(policies, ports), after: worldOf(edited, ports) };
}

/** All hold for the one workload, whatever namespace they were made for. */
function inShop(policy: AuthorizationPolicy): AuthorizationPolicy {
  const rules = policy.rules.slice(0, 2);
  return { ...policy, rules, selector: undefined, meta: { ...policy.meta, namespace: 'shop' } };
}

/** One port that is read as HTTP in the first, and as bytes in the second, where policies do not say which port. */
export function otherwiseReadPair(random: Random, ports: Ports): SendablePair {
  const making = { random, ports: [String(ports.http)], coverage: new Coverage() };
  const policies = policySet(making, random.chance(0.5) ? 'http' : 'tcp')
    .policies.slice(0, 2)
    .map(inShop)
    .filter(
      (each) =>
        isWritable(each) && !/"(?:destination\.port|experimental\.)|orts":\["/.test(JSON.stringify(each)),
    );
  // What becomes of tokens is not asked here.
  const world = { ...worldOf(policies, ports), policies };
  const read = (protocol: 'http' | 'tcp'): PolicyWorld => ({
    ...world,
    workloads: new Map(
      [...world.workloads].map(([id, each]) => {
        const [port] = each.ports;
        return [id, { ...each, ports: port ? [{ ...port, protocol }] : [] }];
      }),
    ),
  });
  return { before: read('http'), after: read('tcp') };
}

function worldOf(policies: readonly AuthorizationPolicy[], ports: Ports): PolicyWorld {
  const workload: Workload = {
    id: 'shop/cart',
    namespace: 'shop',
    name: 'cart',
    serviceAccount: 'cart',
    labels: {},
    // What an address is taken from where any will do.
    addresses: words.sourceAddresses,
    proxy: 'explicit',
    proxyKey: undefined,
    egress: [],
    ports: [
      { port: ports.http, protocol: 'http', application: { address: '127.0.0.1', port: 1 } },
      { port: ports.tcp, protocol: 'tcp', application: { address: '127.0.0.1', port: 2 } },
    ],
  };
  return {
    settings: {
      trustDomain: words.trustDomain,
      trustDomainAliases: words.trustDomainAliases,
      rootNamespace: 'root',
      authorizationProviders: Object.keys(words.providers).map((name) => ({
        name,
        kind: name.endsWith('-http') ? 'http' : 'grpc',
      })),
    },
    workloads: new Map([[workload.id, workload]]),
    services: new Map(),
    policies: [...policies, authentication],
    strict: new Set(),
  };
}
