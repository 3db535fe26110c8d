/** What the browser console and the server say to each other, as JSON, for both sides. */
export type * from './console-history.ts';
export type * from './console-records.ts';

export interface ConsoleError {
  readonly error: { readonly code: string; readonly message: string };
}

/** GET /console/api/sign-in: how one may sign in; asked by nobody in particular. */
export interface ConsoleSignIn {
  readonly oidc: boolean;
  readonly clientCertificate: boolean;
}

/** GET /console/api/whoami. */
export interface ConsoleWhoAmI {
  readonly subject: string;
  readonly proof: string;
  readonly role: 'viewer' | 'author' | 'operator' | undefined;
  /** RFC 3339: when the session ends however it is used. */
  readonly endsAt: string;
  readonly trustDomain: string;
  readonly version: string;
}

export interface ConsolePolicyKey {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One policy that counts. */
export interface ConsolePolicyHead extends ConsolePolicyKey {
  readonly source: string;
  /** Whether it is kept by the server, and so changed here; others are changed where they stand. */
  readonly stored: boolean;
  readonly generation: number;
  readonly workloads: number;
  readonly current: number;
  readonly pending: number;
  readonly refused: number;
  readonly warnings: number;
}

/** GET /console/api/policies. */
export interface ConsolePolicies {
  readonly policies: readonly ConsolePolicyHead[];
  /** What of a source does not count, one line each. */
  readonly problems: readonly string[];
}

/** GET /console/api/policies/KIND/NAMESPACE/NAME. */
export interface ConsolePolicy extends ConsolePolicyHead {
  readonly text: string;
}

/** GET /console/api/world. */
export interface ConsoleWorld {
  readonly namespaces: readonly string[];
  /** `NAMESPACE/SERVICEACCOUNT`. */
  readonly serviceAccounts: readonly string[];
  /** `NAMESPACE/NAME:PORT`. */
  readonly services: readonly string[];
  readonly rootNamespace: string;
  readonly trustDomain: string;
}

/** POST /console/api/plan and, with expectedRevision and reason, /console/api/apply. */
export interface ConsoleChange {
  readonly text: string;
  readonly remove: readonly ConsolePolicyKey[];
  /** In the place of both. */
  readonly restore?: ConsoleRestore;
}

/** What was kept at an earlier revision is to hold again. */
export interface ConsoleRestore {
  /** 0: as before the first change. */
  readonly revision: number;
  /** Of these alone; none: of all. */
  readonly keys: readonly ConsolePolicyKey[];
}

export interface ConsoleApply extends ConsoleChange {
  readonly expectedRevision: number;
  readonly reason: string;
}

export interface ConsoleProblem {
  /** From 1; 0 where there is no place. */
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly mend: string;
}

export interface ConsoleEffect extends ConsolePolicyKey {
  readonly effect: 'create' | 'update' | 'unchanged' | 'remove';
  /** What would hold in its place; empty where nothing does. */
  readonly shadowedBy: string;
  /** As it holds now, in its one form; empty where there is none. */
  readonly before: string;
  /** As it would hold, in that form. */
  readonly after: string;
}

export interface ConsolePlan {
  readonly problems: readonly ConsoleProblem[];
  readonly warnings: readonly ConsoleProblem[];
  readonly effects: readonly ConsoleEffect[];
  readonly revision: number;
}

/** POST /console/api/explain: what would become of a call if a change were applied. */
export interface ConsoleQuestion extends ConsoleChange {
  readonly from: string;
  readonly to: string;
  /** What is left empty is not said. */
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** One a line, as `x-client=v2`. */
  readonly headers: string;
  /** Claims as a JSON object, or `none`. */
  readonly token: string;
  readonly ip: string;
}

export interface ConsoleExplanation {
  readonly verdict: 'allow' | 'deny' | 'depends';
  readonly headline: string;
  readonly why: readonly string[];
  readonly steps: readonly (readonly [name: string, result: string])[];
  readonly notes: readonly string[];
}

/** POST /console/api/diff: what would be decided otherwise if the change were applied. */
export interface ConsoleDiff {
  readonly outcome: 'same' | 'different' | 'undecided';
  readonly complete: boolean;
  readonly differences: readonly ConsoleDifference[];
  /** Of what nothing can be said, and why. */
  readonly undecided: readonly string[];
}

export interface ConsoleDifference {
  readonly becomes: 'allowed' | 'denied';
  /** Where: `cluster/namespace/name:port`, and others. */
  readonly places: string;
  /** Of which requests, in words. */
  readonly where: string;
  /** A request for which it is so, as a line. */
  readonly witness: string;
  /** Who decides of it, before and after. */
  readonly before: string;
  readonly after: string;
}

/** POST /console/api/who: every caller that could reach a service or a workload if a change were applied. */
export interface ConsoleWhoQuestion extends ConsoleChange {
  readonly to: string;
}

/** POST /console/api/what: all that an identity could reach then. */
export interface ConsoleWhatQuestion extends ConsoleChange {
  readonly from: string;
}

export interface ConsoleAccess {
  readonly rows: readonly ConsoleAccessRow[];
  readonly callers: readonly string[];
  readonly callees: readonly string[];
  readonly edges: readonly {
    readonly caller: string;
    readonly callee: string;
    readonly labels: readonly string[];
  }[];
  /** What is not told, and why. */
  readonly open: readonly string[];
}

export interface ConsoleAccessRow {
  readonly to: string;
  readonly callers: string;
  readonly methods: string;
  readonly paths: string;
  readonly conditions: readonly string[];
}

/** POST /console/api/format. */
export interface ConsoleFormatted {
  /** Absent where it is no YAML. */
  readonly text: string | undefined;
  readonly problems: readonly ConsoleProblem[];
}

/** Sent with each request: a page of another origin cannot without asking the server first, which says no. */
export const consoleHeader = 'x-citadel-console';

/** Bytes of a request's body: the page sends no more, for a server that stops reading may not be heard saying why. */
export const largestConsoleRequest = 1024 * 1024;
