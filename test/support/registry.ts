import { stringify } from 'yaml';

type Protocol = 'http' | 'http2' | 'tcp';

export interface RegistryWorkload {
  /** Also its service account, and its label `app`. */
  readonly name: string;
  readonly ports?: readonly {
    readonly port: number;
    readonly protocol?: Protocol;
    readonly application: number;
  }[];
  /** Services of the same namespace that it calls, each on a port of its own. */
  readonly egress?: readonly { readonly listen: number; readonly service: string; readonly port: number }[];
}

export interface RegistryService {
  /** Of the workloads with this label `app`. */
  readonly name: string;
  readonly ports: readonly {
    readonly port: number;
    readonly targetPort: number;
    readonly protocol?: Protocol;
  }[];
}

/** Text for a registry of files: all in the namespace shop, all on 127.0.0.1. */
export function registryText(
  workloads: readonly RegistryWorkload[],
  services: readonly RegistryService[] = [],
): string {
  const object = (kind: string, name: string, spec: object) =>
    stringify({
      apiVersion: 'citadel.dev/v1',
      kind,
      metadata: { namespace: 'shop', name, labels: { app: name } },
      spec,
    });
  return [
    ...workloads.map(({ name, ports = [], egress = [] }) =>
      object('Workload', name, {
        serviceAccount: name,
        addresses: ['127.0.0.1'],
        ports: ports.map(({ application, ...port }) => ({
          ...port,
          application: `127.0.0.1:${application}`,
        })),
        egress: egress.map(({ listen, service, port }) => ({
          listen: `127.0.0.1:${listen}`,
          service: `shop/${service}`,
          port,
        })),
      }),
    ),
    ...services.map(({ name, ports }) => object('Service', name, { ports, selector: { app: name } })),
  ].join('---\n');
}

/** Callers of one service, each by a port of its own. */
export function callersOf(
  service: string,
  port: number,
  listens: Readonly<Record<string, number>>,
): readonly RegistryWorkload[] {
  return Object.entries(listens).map(([name, listen]) => ({ name, egress: [{ listen, service, port }] }));
}

/** A service `orders` in front of an application, and `web`, which calls it through a port of its own. */
export function ordersAndWeb(
  application: number,
  { port, web }: { readonly port: number; readonly web: number },
): string {
  return registryText(
    [
      { name: 'orders', ports: [{ port, protocol: 'http', application }] },
      ...callersOf('orders', 80, { web }),
    ],
    [{ name: 'orders', ports: [{ port: 80, protocol: 'http', targetPort: port }] }],
  );
}
