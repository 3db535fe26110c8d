import type { Policy, PolicyOrigin } from '../policy/index.ts';
import type { TrustBundleSnapshot } from '../trust/index.ts';

/** What a port's bytes are; everything that is not HTTP is `tcp`, TLS of the applications' own included. */
export type AppProtocol = 'http' | 'http2' | 'tcp';

/** How traffic reaches a workload's proxy: none beside it, listeners on named ports, or transparent capture. */
export type ProxyMode = 'none' | 'explicit' | 'capture';

/** One running instance, with or without a proxy. */
export interface Workload {
  /** Unique over all sources: `<cluster>/<namespace>/<name>`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical text, IPv4 or IPv6. */
  readonly addresses: readonly string[];
  readonly proxy: ProxyMode;
  /**
   * The key under which certificates are issued to it (`pod:<cluster>/<uid>`), where its platform knows one. Without it
   * its namespace and service account, and the name that its node metadata gives, are all that tells it apart.
   */
  readonly proxyKey: string | undefined;
  readonly ports: readonly WorkloadPort[];
  /** Listeners for its own calls, where nothing captures them. */
  readonly egress: readonly EgressListener[];
}

export interface WorkloadPort {
  /** The port that callers connect to, and that policies name. */
  readonly port: number;
  readonly protocol: AppProtocol;
  /** Where the application listens, as its proxy reaches it. */
  readonly application: { readonly address: string; readonly port: number };
}

export interface EgressListener {
  readonly address: string;
  readonly port: number;
  /** `<namespace>/<name>` of the service that is called through it. */
  readonly service: string;
  readonly servicePort: number;
}

export interface Service {
  /** `<namespace>/<name>`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Names by which callers address it, without ports; the first is the canonical one. */
  readonly hosts: readonly string[];
  /** Virtual addresses; none for a headless service. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePort[];
}

export interface ServicePort {
  readonly port: number;
  readonly name: string;
  readonly protocol: AppProtocol;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** The workload behind it; undefined for what no registry knows, which is called in plaintext. */
  readonly workload: string | undefined;
}

/** An external authorizer that CUSTOM policies name. */
export interface AuthorizationProvider {
  readonly name: string;
  readonly kind: 'grpc' | 'http';
  /** `<namespace>/<name>` of a service. */
  readonly service: string;
  readonly port: number;
  /** Milliseconds. */
  readonly timeout: number;
  /** Whether a call passes when the provider cannot be asked. */
  readonly failOpen: boolean;
  /** HTTP alone: put before the request's own path. */
  readonly pathPrefix: string;
  readonly includeHeaders: readonly string[];
  /** Bytes of the body that go along; 0 for none. */
  readonly bodyBytes: number;
}

/** How proxies do mutual TLS among themselves. */
export interface MeshTls {
  /** Whether the hybrid of ML-KEM-768 and X25519 is offered, and preferred, for the agreement of keys. */
  readonly postQuantum: boolean;
  /** The highest is always 1.3. */
  readonly minimumVersion: '1.2' | '1.3';
}

/** When callers leave out an endpoint that fails them; each proxy judges by its own calls. */
export interface OutlierDetection {
  /** Replies of 5xx, or failures to connect, in a row. */
  readonly consecutive5xx: number;
  /** Milliseconds between two looks at endpoints that are left out. */
  readonly interval: number;
  /** Milliseconds that an endpoint is left out, times how often it has been. */
  readonly baseEjectionTime: number;
  /** Of a service's endpoints, how many in a hundred may be left out at once; one always may. */
  readonly maxEjectionPercent: number;
}

/** What an operator sets for all. */
export interface MeshSettings {
  readonly trustDomain: string;
  /** Other names under which callers of this mesh may still be known. */
  readonly trustDomainAliases: readonly string[];
  /** Policies without a selector in this namespace hold for the whole mesh. */
  readonly rootNamespace: string;
  readonly authorizationProviders: readonly AuthorizationProvider[];
  /**
   * Milliseconds, the most that a connection lasts, whatever goes on on it: an open one is not looked at again when certificates,
   * bundles or revocations change, so it must not outlive a leaf.
   */
  readonly connectionLifetime: number;
  /** Of allowed calls by mutual TLS, how many in a hundred are logged; plaintext and denials are logged each. */
  readonly accessLogSample: number;
  readonly tls: MeshTls;
  /** Grows each time that everything open by mutual TLS is to end, after a taint or a revocation; zero: it never was. */
  readonly drainGeneration: number;
  /** Undefined: endpoints are called whatever they reply. */
  readonly outlierDetection: OutlierDetection | undefined;
}

/** All that proxies are configured from, at one moment. The same content from any source gives the same snapshot. */
export interface MeshSnapshot {
  /** SHA-256 over the content, lower-case hexadecimal. */
  readonly version: string;
  readonly settings: MeshSettings;
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly services: ReadonlyMap<string, Service>;
  readonly policies: readonly Policy[];
  /** Workloads with a proxy that an operator made strict: where policies ask for PERMISSIVE they take mutual TLS alone. */
  readonly strict: ReadonlySet<string>;
  /** Keys that policies name and the server fetched, as JWKS, by keySetId; none for those that have never been read. */
  readonly keySets: KeySetTexts;
  /** Of the trust domains whose members proxies may be asked to know. */
  readonly bundles: readonly TrustBundleSnapshot[];
  /** What sources say that does not count; proxies do not hang on it. */
  readonly shadowed: readonly ShadowedObject[];
  /** What policies would be if a change were made that is tried beside them: it decides nothing. */
  readonly candidate?: CandidatePolicies | undefined;
}

export interface CandidatePolicies {
  readonly id: string;
  /** All of them, not only what the change touches; what is the same in both is the same object. */
  readonly policies: readonly Policy[];
}

/** What a workload's proxy compares: what holds, and what would if the change were made that is tried. */
export interface Trial {
  /** 12 lower-case hexadecimal digits; others where either side is other policies, or the change another one. */
  readonly id: string;
  /** All that would hold for it. */
  readonly policies: readonly Policy[];
}

/** Of one source's object, what does not count because an earlier source has one of its name. */
export interface ShadowedObject {
  /** `<kind>/<namespace>/<name>`. */
  readonly object: string;
  /** Which source's it is, by its place among all. */
  readonly from: number;
  /** Whose counts. */
  readonly by: number;
  /** What of it does not count; absent: all of it, for it says something else. */
  readonly what?: string;
  /** For a policy alone. */
  readonly policy?: {
    readonly origin: PolicyOrigin;
    readonly counting: PolicyOrigin;
  };
}

/** JWKS by keySetId. */
export type KeySetTexts = ReadonlyMap<string, string>;
