const url = (message: string) => `type.googleapis.com/${message}`;

export const clusterType = url('envoy.config.cluster.v3.Cluster');
export const endpointType = url('envoy.config.endpoint.v3.ClusterLoadAssignment');
export const listenerType = url('envoy.config.listener.v3.Listener');
export const routeType = url('envoy.config.route.v3.RouteConfiguration');
export const extensionType = url('envoy.config.core.v3.TypedExtensionConfig');
export const secretType = url('envoy.extensions.transport_sockets.tls.v3.Secret');

/** What the protocol asks of one type; xDS, "Eventual consistency considerations", says why in this order. */
export interface TypeRules {
  /** For metrics and logs: one word of few. */
  readonly label: string;
  /** Lower ones are sent first. */
  readonly rank: number;
  /** An empty subscription and `*` mean everything; a state of the world is always the whole of it. */
  readonly wildcard: boolean;
  /** Types whose pushes must be answered first, so that nothing names what is not there yet. */
  readonly after: readonly string[];
  /** Types that may still name what is removed; they must have nothing left to send, and be accepted. */
  readonly removedAfter: readonly string[];
  /** The type whose resources an Envoy waits for when one of this was replaced, even if they are unchanged. */
  readonly warmedBy: string | undefined;
}

const none: readonly string[] = [];
const upstream = [clusterType, endpointType];

const rules: Readonly<Record<string, TypeRules>> = {
  [clusterType]: {
    label: 'cds',
    rank: 0,
    wildcard: true,
    after: none,
    removedAfter: [listenerType, routeType],
    warmedBy: endpointType,
  },
  [endpointType]: {
    label: 'eds',
    rank: 1,
    wildcard: false,
    after: none,
    removedAfter: [clusterType, listenerType, routeType],
    warmedBy: undefined,
  },
  [listenerType]: {
    label: 'lds',
    rank: 2,
    wildcard: true,
    after: upstream,
    removedAfter: none,
    warmedBy: undefined,
  },
  [routeType]: {
    label: 'rds',
    rank: 3,
    wildcard: false,
    after: upstream,
    removedAfter: [listenerType],
    warmedBy: undefined,
  },
  [extensionType]: {
    label: 'ecds',
    rank: 4,
    wildcard: false,
    after: upstream,
    removedAfter: [listenerType],
    warmedBy: undefined,
  },
  // Clusters and listeners warm until they have their secrets: these wait for nothing.
  [secretType]: {
    label: 'sds',
    rank: 5,
    wildcard: false,
    after: none,
    removedAfter: [clusterType, listenerType],
    warmedBy: undefined,
  },
};

/** A type that nobody serves has no resources: a subscription to it is kept, and answered like any other. */
const other: TypeRules = {
  label: 'other',
  rank: 6,
  wildcard: false,
  after: none,
  removedAfter: none,
  warmedBy: undefined,
};

export function rulesOf(typeUrl: string): TypeRules {
  return Object.hasOwn(rules, typeUrl) ? (rules[typeUrl] ?? other) : other;
}
