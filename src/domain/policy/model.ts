/**
 * The policy kinds of `security.istio.io/v1` after they have been read: defaults filled in, absent lists empty, nothing
 * left to interpret but their meaning. Field names are Istio's own. Strings of lists keep their wildcards: exact,
 * `prefix*`, `*suffix`, and `*` for "is there at all".
 */

/** Where an object was written, for every message about it. */
export interface PolicyOrigin {
  /** A file, or `kubernetes/<cluster>`, or `store`. */
  readonly source: string;
  /** From 1; absent where the source has no text. */
  readonly line?: number;
}

/** For a reader: `a.yaml:3`, `kubernetes/a`. */
export function describeOrigin({ source, line }: PolicyOrigin): string {
  return line === undefined ? source : `${source}:${line}`;
}

export interface PolicyMeta {
  readonly namespace: string;
  readonly name: string;
  /** Kubernetes' metadata.generation; 0 where there is none. */
  readonly generation: number;
  /**
   * metadata.creationTimestamp, in milliseconds; absent where the source keeps none. Of two policies of which only one
   * can hold, the older one does.
   */
  readonly created?: number;
  readonly origin: PolicyOrigin;
}

/** A Kubernetes object that a policy is attached to (Service, Gateway, GatewayClass, ServiceEntry). */
export interface PolicyTargetReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** Labels that a workload must carry, all of them; undefined selects every workload of the namespace. */
export type LabelSelector = Readonly<Record<string, string>>;

export type AuthorizationAction = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';

export interface AuthorizationPolicy {
  readonly kind: 'AuthorizationPolicy';
  readonly meta: PolicyMeta;
  readonly selector: LabelSelector | undefined;
  readonly targetRefs: readonly PolicyTargetReference[];
  readonly action: AuthorizationAction;
  /** For CUSTOM alone: a provider named in the mesh configuration. */
  readonly provider: string | undefined;
  /** `istio.io/dry-run: "true"`: rendered as a shadow rule. */
  readonly dryRun: boolean;
  /** Any of them matches; none at all never matches. */
  readonly rules: readonly AuthorizationRule[];
}

/** All three parts must match; an empty part matches all. */
export interface AuthorizationRule {
  readonly from: readonly SourceMatch[];
  readonly to: readonly OperationMatch[];
  readonly when: readonly Condition[];
}

/** All its non-empty lists must match: a list by any of its values, a `not` list by none of them. */
export interface SourceMatch {
  readonly principals: readonly string[];
  readonly notPrincipals: readonly string[];
  readonly requestPrincipals: readonly string[];
  readonly notRequestPrincipals: readonly string[];
  readonly namespaces: readonly string[];
  readonly notNamespaces: readonly string[];
  /** `<service account>` of the policy's own namespace, or `<namespace>/<service account>`. */
  readonly serviceAccounts: readonly string[];
  readonly notServiceAccounts: readonly string[];
  readonly trustDomains: readonly string[];
  readonly notTrustDomains: readonly string[];
  /** Addresses or CIDRs, of the connection's peer. */
  readonly ipBlocks: readonly string[];
  readonly notIpBlocks: readonly string[];
  /** Of the original client, by X-Forwarded-For or the proxy protocol. */
  readonly remoteIpBlocks: readonly string[];
  readonly notRemoteIpBlocks: readonly string[];
}

export interface OperationMatch {
  readonly hosts: readonly string[];
  readonly notHosts: readonly string[];
  readonly ports: readonly string[];
  readonly notPorts: readonly string[];
  readonly methods: readonly string[];
  readonly notMethods: readonly string[];
  /** Also templates: `{*}` is one segment, `{**}` any number. */
  readonly paths: readonly string[];
  readonly notPaths: readonly string[];
}

export interface Condition {
  /** `request.headers[x]`, `source.ip`, `request.auth.claims[a][b]`, `experimental.envoy.filters.a.b[c]`, ... */
  readonly key: string;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

export type MutualTlsMode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT';

export interface PeerAuthentication {
  readonly kind: 'PeerAuthentication';
  readonly meta: PolicyMeta;
  readonly selector: LabelSelector | undefined;
  readonly mode: MutualTlsMode;
  /** By the workload's own port. */
  readonly portLevel: ReadonlyMap<number, MutualTlsMode>;
}

export interface RequestAuthentication {
  readonly kind: 'RequestAuthentication';
  readonly meta: PolicyMeta;
  readonly selector: LabelSelector | undefined;
  readonly targetRefs: readonly PolicyTargetReference[];
  readonly jwtRules: readonly JwtRule[];
}

export interface JwtRule {
  /** Undefined takes tokens of any issuer that the keys of `jwksUri` verify. */
  readonly issuer: string | undefined;
  readonly audiences: readonly string[];
  /** Inline keys (RFC 7517), as text; exactly one of both, or neither: discovered from the issuer. */
  readonly jwks: string | undefined;
  readonly jwksUri: string | undefined;
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  readonly outputPayloadToHeader: string | undefined;
  readonly outputClaimToHeaders: readonly { readonly header: string; readonly claim: string }[];
  readonly forwardOriginalToken: boolean;
  /** Milliseconds, for fetching keys. */
  readonly timeout: number;
  /** Claims whose string is a list of words, beside `scope` and `permission`, which always are. */
  readonly spaceDelimitedClaims: readonly string[];
}

export type Policy = AuthorizationPolicy | PeerAuthentication | RequestAuthentication;
export type PolicyKind = Policy['kind'];
