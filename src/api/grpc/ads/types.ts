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
  /**
   * A refused one stays with the client as the last that came: sent again it is accepted and not applied, and a listener
   * that comes later is refused for it (Envoy 1.40, measured). So each goes by itself, that a NACK speaks of one and
   * nothing is tried twice, and what the client had before is sent after it. What a client gets that has nothing goes
   * together at first, where it can be told to forget it.
   */
  readonly alone: boolean;
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
    alone: false,
  },
  [endpointType]: {
    label: 'eds',
    rank: 1,
    wildcard: false,
    after: none,
    removedAfter: [clusterType, listenerType, routeType],
    warmedBy: undefined,
    alone: false,
  },
  [listenerType]: {
    label: 'lds',
    rank: 2,
    wildcard: true,
    after: upstream,
    removedAfter: none,
    warmedBy: undefined,
    alone: false,
  },
  [routeType]: {
    label: 'rds',
    rank: 3,
    wildcard: false,
    after: upstream,
    removedAfter: [listenerType],
    warmedBy: undefined,
    alone: false,
  },
  [extensionType]: {
    label: 'ecds',
    rank: 4,
    wildcard: false,
    after: upstream,
    removedAfter: [listenerType],
    warmedBy: undefined,
    alone: true,
  },
  // Clusters and listeners warm until they have their secrets: these wait for nothing.
  [secretType]: {
    label: 'sds',
    rank: 5,
    wildcard: false,
    after: none,
    removedAfter: [clusterType, listenerType],
    warmedBy: undefined,
    alone: false,
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
  alone: false,
};

export function rulesOf(typeUrl: string): TypeRules {
  return Object.hasOwn(rules, typeUrl) ? (rules[typeUrl] ?? other) : other;
}
