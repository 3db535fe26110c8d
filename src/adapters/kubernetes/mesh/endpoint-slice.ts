import { field, items, pick, text, texts } from '../api/index.ts';
import type { Reading } from './informer.ts';

/** What the mesh needs of an EndpointSlice (discovery.k8s.io/v1). */
export interface SliceRecord {
  /** `<namespace>/<name>` of its service. */
  readonly service: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly address: string;
  /** Not yet ready ones are kept: they tell which ports of their pod are served. */
  readonly ready: boolean;
  /** Undefined for what is no pod. */
  readonly pod: { readonly key: string; readonly uid: string | undefined } | undefined;
}

const serviceName = 'kubernetes.io/service-name';

/** Slices of names (FQDN) are none, and so are those of no service. */
export function readEndpointSlice(object: unknown): Reading<SliceRecord> {
  const namespace = text(object, 'metadata', 'namespace');
  const service = text(object, 'metadata', 'labels', serviceName);
  const family = text(object, 'addressType');
  if (namespace === undefined || service === undefined) return { problems: [] };
  if (family !== 'IPv4' && family !== 'IPv6') return { problems: [] };
  const ports = items(object, 'ports').flatMap((each) => {
    const port = field(each, 'port');
    if (typeof port !== 'number' || (text(each, 'protocol') ?? 'TCP') !== 'TCP') return [];
    return [{ name: text(each, 'name') ?? '', port }];
  });
  const endpoints = items(object, 'endpoints').flatMap((each) => readEndpoint(each, namespace) ?? []);
  return { value: { service: `${namespace}/${service}`, family, ports, endpoints }, problems: [] };
}

/** What readEndpointSlice needs. */
export function slimEndpointSlice(object: unknown): unknown {
  return {
    metadata: {
      ...pick(field(object, 'metadata'), 'namespace'),
      labels: pick(field(object, 'metadata', 'labels'), serviceName),
    },
    ...pick(object, 'addressType'),
    ports: items(object, 'ports').map((each) => pick(each, 'name', 'port', 'protocol')),
    endpoints: items(object, 'endpoints').map((each) => ({
      ...pick(each, 'addresses', 'conditions'),
      targetRef: pick(field(each, 'targetRef'), 'kind', 'namespace', 'name', 'uid'),
    })),
  };
}

function readEndpoint(object: unknown, namespace: string): SliceEndpoint | undefined {
  // The API says of further addresses that nobody should use them.
  const address = texts(object, 'addresses')?.[0];
  if (address === undefined || field(object, 'conditions', 'terminating') === true) return undefined;
  const name = text(object, 'targetRef', 'name');
  const isPod = text(object, 'targetRef', 'kind') === 'Pod' && name !== undefined;
  return {
    address,
    // Absent means ready (discovery.k8s.io/v1, EndpointConditions).
    ready: field(object, 'conditions', 'ready') !== false,
    pod: isPod
      ? {
          key: `${text(object, 'targetRef', 'namespace') ?? namespace}/${name}`,
          uid: text(object, 'targetRef', 'uid'),
        }
      : undefined,
  };
}
