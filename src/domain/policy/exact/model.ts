import type {
  Claims,
  Decision,
  DecisionStep,
  PolicyRequest,
  RuleReference,
  Verdict,
} from '../decide/index.ts';
import type { AuthorizationAction } from '../model.ts';

/** How a port's bytes are read: as requests, or as nothing but a connection. */
export type PortProtocol = 'http' | 'tcp';

/** A port of a workload; `'other'` is every port that no registry declares and no policy names. */
export interface PortOf {
  readonly workload: string;
  readonly port: number | 'other';
}

/**
 * A request, and what authorizers outside say of it; of no importance where it is not asked for. Only with them is it
 * decided.
 */
export interface Witness {
  readonly request: PolicyRequest;
  /** By the provider's name; of each that the answer hangs on. */
  readonly providers: Readonly<Record<string, Verdict>>;
  /** Likewise of the connection of a request, where one world asks about that, and the other one about requests. */
  readonly ofConnection?: Readonly<Record<string, Verdict>>;
  /** The one that the request brings, where it hangs on what is taken; `request.jwt` is then absent. */
  readonly token?: WitnessToken | undefined;
}

/** A token as it is sent, whether or not anybody takes it. Its times are good. */
export interface WitnessToken {
  /** `header authorization after "Bearer "`, `query parameter access_token`, `cookie session`. */
  readonly place: string;
  /** What it is signed with, as policies name it; undefined for something that none of them has. */
  readonly signedBy: string | undefined;
  readonly claims: Claims;
}

/**
 * What becomes of a witness. `MTLS`: refused before any policy looks, as the port takes mutual TLS alone (STRICT), or
 * none (DISABLE). `HTTP`: refused, since it is no request, and the port takes no other bytes. `TOKEN`: refused for its token.
 */
export interface ExactDecision extends Pick<Decision, 'verdict'> {
  readonly step: DecisionStep | 'MTLS' | 'HTTP' | 'TOKEN';
  readonly by: RuleReference | undefined;
}

/** What a constraint speaks of, as authors name it. */
export type Attribute =
  | { readonly kind: 'source' }
  | { readonly kind: 'method' }
  | { readonly kind: 'host' }
  /** With the query, which `request.headers[:path]` alone looks at. */
  | { readonly kind: 'path' }
  | { readonly kind: 'sni' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'token' }
  | { readonly kind: 'tokenPlace' }
  | { readonly kind: 'tokenKey' }
  | { readonly kind: 'claim'; readonly path: readonly string[] }
  | { readonly kind: 'metadata'; readonly filter: string; readonly name: string }
  | { readonly kind: 'sourceIp' }
  | { readonly kind: 'remoteIp' }
  | { readonly kind: 'destinationIp' }
  /** The answer of an authorizer outside; `about` where it is asked about the connection of a request. */
  | { readonly kind: 'provider'; readonly name: string; readonly about?: 'connection' };

/** One list of a policy: any of its patterns. */
export interface PatternList {
  /** As in the policy: `principals`, `namespaces`, `paths`, `request.headers[x]`, ...; or, beside those, `present`. */
  readonly field: string;
  /** As they are written there; empty for `present`. */
  readonly patterns: readonly string[];
}

/** Matches all of `matches` and none of `except`. */
export interface Alternative {
  readonly matches: readonly PatternList[];
  readonly except: readonly PatternList[];
}

/** That an attribute is as one of the alternatives says. */
export interface Constraint {
  readonly attribute: Attribute;
  readonly alternatives: readonly Alternative[];
  /** So many alternatives, at most, are not told: there are too many to read. Mostly 0. */
  readonly more: number;
  /** A value that is so; undefined where the attribute is absent. */
  readonly example: string | undefined;
}

/** Requests for which all constraints hold; of attributes that are not named nothing is asked. */
export interface Region {
  readonly constraints: readonly Constraint[];
}

export interface Difference {
  /** Decided alike: the same policies hold for them, before and after. */
  readonly places: readonly PortOf[];
  /** What is decided otherwise: requests, or connections. */
  readonly protocol: PortProtocol;
  /** Where the port is read as HTTP in one of both alone; connections are then those that carry no request. */
  readonly readAs?: { readonly before: PortProtocol; readonly after: PortProtocol };
  readonly becomes: 'allowed' | 'denied';
  readonly region: Region;
  readonly witness: Witness;
  readonly before: ExactDecision;
  readonly after: ExactDecision;
}

/** What policies do that decide nothing: `AUDIT`, or a dry run of an action. */
export interface Mark {
  readonly action: AuthorizationAction;
  readonly dryRun: boolean;
}

/**
 * Requests of which policies that decide nothing say another thing than before. Told are those that are not refused, in
 * either world, before these policies are asked.
 */
export interface MarkDifference
  extends Pick<Difference, 'places' | 'protocol' | 'readAs' | 'region' | 'witness'> {
  readonly mark: Mark;
  readonly becomes: 'marked' | 'unmarked';
  /** The rule that does now, or did. */
  readonly by: RuleReference;
}

/** Why nothing can be said of some ports. */
export interface Undecided {
  readonly places: readonly PortOf[];
  readonly protocol: PortProtocol;
  /** `<kind>/<namespace>/<name>` of what is too much, or is not understood; empty where it is no single policy. */
  readonly policies: readonly string[];
  readonly reason: string;
}

/** How much was looked at to say so; ports that are decided alike are a group. */
export interface Proof {
  readonly groups: number;
  /** Their policies say the same, text for text or in one normal form. */
  readonly identical: number;
  /** Of these all that can arrive was searched. */
  readonly searched: number;
  /** Ports of workloads without a proxy: nothing is enforced there. */
  readonly unenforced: number;
  /** Workloads that are in one of both worlds alone, and are not compared. */
  readonly unpaired: number;
  /** Ports that a proxy takes in one world alone, likewise. */
  readonly unpairedPorts: number;
}

/** Where policies ask for something of tokens, and no RequestAuthentication says whose are looked at: nobody has it. */
export interface TokensUnread {
  readonly places: readonly PortOf[];
  /** `<kind>/<namespace>/<name>` */
  readonly policies: readonly string[];
}

export interface Comparison {
  /** `undecided` only where no difference was found either. */
  readonly outcome: 'same' | 'different' | 'undecided';
  readonly differences: readonly Difference[];
  /** Whether `differences` are all that there are. */
  readonly complete: boolean;
  readonly undecided: readonly Undecided[];
  /** What else differs, of which no decision hangs. */
  readonly marks: { readonly differences: readonly MarkDifference[]; readonly complete: boolean };
  /** Of ports whose policies have changed. */
  readonly tokensUnread: readonly TokensUnread[];
  readonly proof: Proof;
}

/** All that may reach a port, in regions that together are all of it. */
export interface Reach {
  readonly regions: readonly { readonly region: Region; readonly witness: Witness }[];
  readonly complete: boolean;
  readonly undecided: Undecided | undefined;
}

/** What bounds the work; more is `undecided`. A step is a visit of a part of a formula, or of a state of an automaton. */
export interface ExactLimits {
  /** Of all together. */
  readonly steps: number;
  /** Of ports that are decided alike. */
  readonly stepsOfGroup: number;
  /** Regions that are told, of ports that are decided alike. */
  readonly regions: number;
}
