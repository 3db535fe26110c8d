import type { Service, Workload } from '../../src/domain/mesh/index.ts';
import type { MutualTlsMode, Policy, PolicyWorld } from '../../src/domain/policy/index.ts';
import type { Random } from '../oracle/generate/index.ts';

type Port = Workload['ports'][number];

const at = (port: number, protocol: Port['protocol']): Port => ({
  port,
  protocol,
  application: { address: '127.0.0.1', port },
});

function workload(id: string, more: Pick<Workload, 'proxy' | 'ports'>): Workload {
  const [namespace = '', name = ''] = id.split('/');
  return {
    id,
    namespace,
    name,
    serviceAccount: name,
    labels: { app: name },
    addresses: ['10.9.9.9'],
    proxyKey: undefined,
    egress: [],
    ...more,
  };
}

const workloads = [
  workload('shop/orders', { proxy: 'explicit', ports: [at(8080, 'http'), at(9000, 'tcp')] }),
  workload('shop/cart', { proxy: 'explicit', ports: [at(8080, 'http2')] }),
  workload('bank/ledger', { proxy: 'capture', ports: [at(8080, 'http')] }),
  workload('bank/plain', { proxy: 'none', ports: [at(8080, 'http')] }),
];

/** A small mesh under these policies. */
export function smallWorld(policies: readonly Policy[], strict: readonly string[] = []): PolicyWorld {
  return {
    settings: {
      trustDomain: 'mesh.test',
      trustDomainAliases: ['old.test'],
      rootNamespace: 'root',
      authorizationProviders: [{ name: 'one' }, { name: 'two' }],
    },
    workloads: new Map(workloads.map((each) => [each.id, each])),
    services: new Map<string, Service>(),
    policies,
    strict: new Set(strict),
  };
}

/** The same, where every port that is HTTP is bytes, and the other way round. */
export function otherwiseRead({ workloads: all, ...rest }: PolicyWorld): PolicyWorld {
  const turned = [...all.values()].map((each) => ({
    ...each,
    ports: each.ports.map((port) => at(port.port, port.protocol === 'tcp' ? 'http' : 'tcp')),
  }));
  return { ...rest, workloads: new Map(turned.map((each) => [each.id, each])) };
}

/** Takes what anybody has signed whose keys are there. */
export function believing(namespace: string, selector?: Readonly<Record<string, string>>): Policy {
  return {
    kind: 'RequestAuthentication',
    meta: { namespace, name: 'tokens', generation: 1, origin: { source: 'T' } },
    selector,
    targetRefs: [],
    jwtRules: [
      {
        issuer: undefined,
        audiences: [],
        jwks: undefined,
        jwksUri: 'https://keys.test',
        fromHeaders: [],
        fromParams: [],
        fromCookies: [],
        outputPayloadToHeader: undefined,
        outputClaimToHeaders: [],
        forwardOriginalToken: false,
        timeout: 5000,
        spaceDelimitedClaims: [],
      },
    ],
  };
}

/** Where tokens are looked at: mostly everywhere, or at some workloads, or nowhere. */
export function smallTokens(random: Random): readonly Policy[] {
  return random.weighted([
    [5, [believing('root')]],
    [2, [believing('shop', { app: 'orders' })]],
    [1, []],
  ]);
}

/** How connections are taken, by one or two PeerAuthentications; often by none. */
export function smallModes(random: Random): readonly Policy[] {
  const mode = () => random.pick<MutualTlsMode>(['STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET']);
  const namespaces = random.weighted([
    [6, []],
    [2, ['shop']],
    [1, ['root', 'bank']],
  ]);
  return namespaces.map((namespace): Policy => {
    const selected = namespace !== 'root' && random.chance(0.5);
    return {
      kind: 'PeerAuthentication',
      meta: { namespace, name: 'modes', generation: 1, origin: { source: 'T' } },
      selector: selected ? { app: random.pick(['orders', 'ledger']) } : undefined,
      mode: mode(),
      portLevel: new Map(selected && random.chance(0.5) ? [[random.pick([8080, 7000]), mode()]] : []),
    };
  });
}
