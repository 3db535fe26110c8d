/** One resource as a proxy is given it: encoded once, shared by all that get the same. */
export interface DiscoveryResource {
  readonly name: string;
  /** A hash of the content: equal versions are equal bytes. */
  readonly version: string;
  /** The encoded message, without the Any around it. */
  readonly value: Uint8Array;
}

/**
 * By type URL, then by name. Types that are not there have no resources. A type's map is never changed once it was given:
 * another content is another map, and the same map is the same content, which a thousand streams need not compare. A
 * cluster's endpoints bear the cluster's name: an Envoy that is given a changed cluster waits for them again.
 */
export type DiscoveryResources = ReadonlyMap<string, ReadonlyMap<string, DiscoveryResource>>;

/** Who is at the other end of a discovery stream: known from its certificate; its node can only narrow. */
export interface ConnectedProxy {
  readonly proxyKey: string;
  readonly spiffeId: string;
  /** Lower-case hexadecimal. */
  readonly svidSerial: string;
  /** What the proxy says of itself in `node`: never believed, only used to choose among what the certificate allows. */
  readonly nodeId: string;
  readonly nodeMetadata: Readonly<Record<string, unknown>>;
}

/** What became of what a proxy was sent of one type. */
export interface DiscoveryAnswer {
  readonly typeUrl: string;
  /** Version by resource name of the push that is answered. */
  readonly resources: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  /** Undefined: accepted. */
  readonly error: string | undefined;
}

export interface DiscoverySession {
  /** What the proxy should have now. */
  resources(): DiscoveryResources;
  sent(typeUrl: string, resources: ReadonlyMap<string, string>, removed: readonly string[]): void;
  /** What it has accepted on an earlier stream, version by name, and is not sent again. */
  brought(typeUrl: string, resources: ReadonlyMap<string, string>): void;
  answered(answer: DiscoveryAnswer): void;
  close(): void;
}

/** Where discovery streams get what they serve. */
export interface DiscoverySource {
  /**
   * @param changed called whenever what `resources()` gives may differ from what it gave last; debounced by the source
   * @throws CitadelError PermissionDenied when there is no workload that this proxy may speak for
   */
  open(proxy: ConnectedProxy, changed: () => void): DiscoverySession;
}
