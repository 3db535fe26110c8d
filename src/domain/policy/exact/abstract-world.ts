import { compareText } from '../../../kernel/index.ts';
import type { Service, Workload } from '../../mesh/index.ts';
import type { Policy } from '../model.ts';
import type { PolicyWorld, WorldSettings } from '../world/index.ts';
import { namedPorts } from './places.ts';

/**
 * The workloads that some policies speak of, where nobody says which there are: one for each namespace and selector that is
 * written, one more for each namespace, with no labels, and one of a namespace that no policy names. Policies of which two
 * selectors would choose one workload together are not seen together: only a registry tells whether there is such a one.
 */
export function abstractWorkloads(
  policies: readonly Policy[],
  { rootNamespace }: Pick<WorldSettings, 'rootNamespace'>,
): Pick<PolicyWorld, 'workloads' | 'services'> {
  const workloads = new Map<string, Workload>();
  const services = new Map<string, Service>();
  const ports = portsFor(policies);
  const add = (namespace: string, labels: Readonly<Record<string, string>>, behind: string | undefined) => {
    const said = Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .toSorted(compareText)
      .join(',');
    const which = said === '' ? '' : ` with ${said}`;
    const id = `any workload of ${namespace}${behind === undefined ? which : ` behind the service ${behind}`}`;
    if (!workloads.has(id))
      workloads.set(id, {
        id,
        namespace,
        name: behind ?? (said || 'any'),
        serviceAccount: 'default',
        labels,
        addresses: ['10.0.0.2'],
        proxy: 'capture',
        proxyKey: undefined,
        ports,
        egress: [],
      });
    if (behind === undefined) return;
    const [port = 80] = ports.map((each) => each.port);
    const endpoints = [{ address: '10.0.0.2', port, workload: id }];
    const service = `${namespace}/${behind}`;
    services.set(service, {
      id: service,
      namespace,
      name: behind,
      hosts: [`${behind}.${namespace}`],
      addresses: [],
      ports: [{ port: 80, name: 'http', protocol: 'http', endpoints }],
    });
  };
  const namespaces = new Set(policies.map(({ meta }) => meta.namespace));
  for (const namespace of namespaces) if (namespace !== rootNamespace) add(namespace, {}, undefined);
  add(unnamed(namespaces), {}, undefined);
  for (const policy of policies) {
    const { meta, selector } = policy;
    const all = [...(meta.namespace === rootNamespace ? namespaces : [meta.namespace])];
    if (selector) for (const namespace of all) add(namespace, selector, undefined);
    if (policy.kind !== 'PeerAuthentication')
      for (const { name } of policy.targetRefs) add(meta.namespace, {}, name);
  }
  return { workloads, services };
}

function unnamed(namespaces: ReadonlySet<string>): string {
  let name = 'other';
  while (namespaces.has(name)) name = `${name}-other`;
  return name;
}

/** One of HTTP that no policy names, and each that one does; whatever else there is carries bytes. */
function portsFor(policies: readonly Policy[]): Workload['ports'] {
  const named = [...namedPorts(policies)].filter((port) => port !== 0).toSorted((a, b) => a - b);
  let first = 8080;
  while (named.includes(first)) first += 1;
  return [first, ...named].map((port) => ({
    port,
    protocol: 'http',
    application: { address: '127.0.0.1', port },
  }));
}
