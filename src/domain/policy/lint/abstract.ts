import { compareText } from '../../../kernel/index.ts';
import type { Service } from '../../mesh/index.ts';
import { abstractWorkloads } from '../exact/index.ts';
import type { LabelSelector, Policy } from '../model.ts';
import type { LintRegistry } from './context.ts';

/** What is known of a mesh where nobody knows who is there. */
export type KnownMesh = Pick<
  LintRegistry['settings'],
  'trustDomain' | 'trustDomainAliases' | 'rootNamespace'
>;

/** So many workloads of one namespace are thought of. */
const most = 64;

/**
 * Workloads for all ways in which policies can hold together, where it is not known which there are: one for each set of
 * selectors that one workload can have the labels of, behind each set of services, with ports for HTTP and with ports for
 * bytes. Undefined where there are too many of them: then nothing can be proven of all without a registry.
 */
export function abstractRegistry(
  policies: readonly Policy[],
  { authorizationProviders: known = [], ...mesh }: KnownMesh & Partial<LintRegistry['settings']>,
): LintRegistry | undefined {
  const together = new Map<string, readonly Policy[]>();
  for (const namespace of new Set(policies.map(({ meta }) => meta.namespace))) {
    const holding = policies.filter(({ meta }) => [namespace, mesh.rootNamespace].includes(meta.namespace));
    const sets = selectorSets(holding.map(({ selector = {} }) => selector));
    const [some] = holding;
    if (!sets || !some) return undefined;
    together.set(
      namespace,
      sets.map((selector) => ({ ...some, meta: { ...some.meta, namespace }, selector })),
    );
  }
  const selecting = [...policies.map(unattached), ...[...together.values()].flat()];
  const workloads = new Map(abstractWorkloads(selecting, mesh).workloads);
  const services = new Map<string, Service>();
  for (const [namespace, names] of targetsOf(policies)) {
    const there = [...workloads.values()].filter((each) => each.namespace === namespace);
    if (there.length * 2 ** names.length > most) return undefined;
    for (const behind of subsets(names))
      for (const workload of there) {
        const id = `${workload.id} behind ${behind.join(' and ')}`;
        workloads.set(id, { ...workload, id, name: `${workload.name} behind ${behind.join(' and ')}` });
        for (const name of behind) addEndpoint(services, { namespace, name }, id);
      }
  }
  const ofHttp = [...workloads.values()];
  for (const workload of ofHttp) {
    const id = `${workload.id}, without HTTP`;
    const ports = workload.ports.map((port) => ({ ...port, protocol: 'tcp' as const }));
    workloads.set(id, { ...workload, id, ports });
    for (const { namespace, name } of behindOf(services, workload.id))
      addEndpoint(services, { namespace, name }, id);
  }
  return {
    workloads,
    services,
    settings: { ...mesh, authorizationProviders: [...known, ...otherProviders(policies, known)] },
  };
}

type Provider = LintRegistry['settings']['authorizationProviders'][number];

/** Those that policies name, for who does not know which there are. */
function otherProviders(policies: readonly Policy[], known: readonly Provider[]): readonly Provider[] {
  const named = policies.flatMap((policy) =>
    policy.kind === 'AuthorizationPolicy' && policy.provider !== undefined ? [policy.provider] : [],
  );
  return [...new Set(named)]
    .filter((name) => !known.some((each) => each.name === name))
    .toSorted(compareText)
    .map((name) => ({ name }));
}

function unattached(policy: Policy): Policy {
  return policy.kind === 'PeerAuthentication' ? policy : { ...policy, targetRefs: [] };
}

/** The services that policies are attached to, by namespace. */
function targetsOf(policies: readonly Policy[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const policy of policies) {
    if (policy.kind === 'PeerAuthentication') continue;
    const { namespace } = policy.meta;
    const names = policy.targetRefs.filter(({ kind }) => kind === 'Service').map(({ name }) => name);
    if (names.length > 0) found.set(namespace, [...new Set([...(found.get(namespace) ?? []), ...names])]);
  }
  return found;
}

/** All but the empty one. */
function subsets(names: readonly string[]): readonly (readonly string[])[] {
  return names.reduce<readonly (readonly string[])[]>(
    (some, name) => [...some, [name], ...some.map((each) => [...each, name])],
    [],
  );
}

function behindOf(services: ReadonlyMap<string, Service>, workload: string): readonly Service[] {
  return [...services.values()].filter(({ ports }) =>
    ports.some(({ endpoints }) => endpoints.some((each) => each.workload === workload)),
  );
}

function addEndpoint(
  services: Map<string, Service>,
  { namespace, name }: Pick<Service, 'namespace' | 'name'>,
  workload: string,
): void {
  const id = `${namespace}/${name}`;
  const before = services.get(id)?.ports.flatMap(({ endpoints }) => endpoints) ?? [];
  const endpoints = [...before, { address: '10.0.0.2', port: 8080, workload }];
  const ports: Service['ports'] = [{ port: 80, name: 'http', protocol: 'http', endpoints }];
  services.set(id, { id, namespace, name, hosts: [`${name}.${namespace}`], addresses: [], ports });
}

/** Each union of selectors that do not contradict each other; undefined where there are too many. */
function selectorSets(selectors: readonly LabelSelector[]): readonly LabelSelector[] | undefined {
  const found = new Map<string, LabelSelector>();
  for (const selector of selectors) {
    for (const other of [...found.values(), {}]) {
      if (Object.entries(selector).some(([key, value]) => (other[key] ?? value) !== value)) continue;
      const both = { ...other, ...selector };
      found.set(JSON.stringify(Object.entries(both).toSorted(([a], [b]) => compareText(a, b))), both);
    }
    if (found.size > most) return undefined;
  }
  return [...found.values()];
}
