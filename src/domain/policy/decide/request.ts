import type { AuthorizationAction } from '../model.ts';
import type { RuleReference } from './rule-id.ts';

/** A call, or a connection, as a callee's proxy sees it. */
export interface PolicyRequest {
  /** Absent for a connection whose protocol the proxy does not read. */
  readonly http?: HttpAttributes | undefined;
  /** The SPIFFE ID of the peer's certificate, verified; absent for plaintext and for TLS without one. */
  readonly sourcePrincipal?: string | undefined;
  /** Of the connection. */
  readonly sourceIp: string;
  /** Of the original client; the same as `sourceIp` where nobody forwarded. */
  readonly remoteIp: string;
  readonly destinationIp: string;
  readonly destinationPort: number;
  readonly sni?: string | undefined;
  /** The claims of a token that was validated; absent where none came. */
  readonly jwt?: Claims | undefined;
  /** As the rule that took the token has it. */
  readonly spaceDelimitedClaims?: readonly string[] | undefined;
  /** What the proxy's other filters have left, by filter and name: of the request, or of a connection that is not HTTP. */
  readonly metadata?: Readonly<Record<string, Claims>> | undefined;
}

export interface HttpAttributes {
  readonly method: string;
  /** As it came, with its query: what a policy compares is normalised here as the proxy does it. */
  readonly path: string;
  /** The authority, with its port where it has one. */
  readonly host: string;
  /** By name in any case; every value that came, in order. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

export type ClaimValue = string | number | boolean | null | readonly ClaimValue[] | Claims;
export interface Claims {
  readonly [name: string]: ClaimValue;
}

export interface DecisionContext {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  /** The port's bytes are not read as HTTP: fields that need it cannot be compared. */
  readonly tcp: boolean;
  /** What each provider says of this request. A provider that is not there is not configured, and so refuses. */
  readonly customVerdicts: ReadonlyMap<string, Verdict>;
}

export type Verdict = 'allow' | 'deny';

/**
 * `PATH`: the path has no form that a policy can be compared with. `ALLOW` without a rule: there are ALLOW policies and
 * none matched. `default`: nothing speaks of this request.
 */
export type DecisionStep = 'PATH' | 'CUSTOM' | 'DENY' | 'ALLOW' | 'default';

export interface Decision {
  readonly verdict: Verdict;
  readonly step: DecisionStep;
  /** The rule that decided; of several the first by its identifier, as the proxy takes them. */
  readonly by: RuleReference | undefined;
  /** AUDIT rules that matched, also where the request was refused after them. */
  readonly audit: readonly RuleReference[];
  /** One for each action that has dry-run policies: the rule that would have matched first. */
  readonly dryRun: readonly DryRunResult[];
}

export interface DryRunResult {
  readonly action: AuthorizationAction;
  readonly by: RuleReference | undefined;
}
