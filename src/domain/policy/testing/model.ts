import type { YamlPlace } from '../../../yaml/index.ts';
import type { Claims, Verdict } from '../decide/index.ts';
import type { PolicyWorld } from '../world/index.ts';

/** What a call comes to: past the policies, 403, 401, or no connection at all. */
export type CallOutcome = 'allowed' | 'denied' | 'unauthorized' | 'refused';

/** A document `kind: PolicyTest`, read: defaults filled in, names whole. */
export interface PolicyTest {
  readonly name: string;
  /** The file that it stands in, as it was given. */
  readonly source: string;
  /** Files and directories of policies, as written: beside the test's own file. */
  readonly policies: readonly string[];
  /** Who is there. `given`: as the command line says. */
  readonly world:
    | { readonly kind: 'given' }
    | { readonly kind: 'file' | 'registry'; readonly path: string; readonly settings: TestSettings }
    | { readonly kind: 'inline'; readonly world: PolicyWorld };
  readonly cases: readonly TestCase[];
}

export interface TestSettings {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly rootNamespace: string;
  readonly providers: readonly string[];
}

/** Some calls of which the same is expected. */
export interface TestCase {
  readonly name: string;
  /** Where it stands in its file. */
  readonly place: YamlPlace;
  readonly calls: readonly TestCall[];
  /** `denied` is any call that does not get through; the other two say how. */
  readonly expect: CallOutcome;
  readonly by: ExpectedDecider | undefined;
}

/** `nothing`: no rule of any policy; else the policy's `NAMESPACE/NAME`, its kind, and the rule where one is meant. */
export type ExpectedDecider =
  | 'nothing'
  | {
      readonly kind: 'AuthorizationPolicy' | 'PeerAuthentication' | 'RequestAuthentication';
      readonly namespace: string;
      readonly name: string;
      /** From 0. */
      readonly rule: number | undefined;
    };

export interface TestCall {
  readonly from: Caller;
  readonly to: { readonly namespace: string; readonly name: string; readonly port: number | undefined };
  /** What is undefined the case does not say: then nothing may hang on it. */
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Claims of a token; `invalid` is one that no key verifies. */
  readonly token: Claims | 'invalid' | undefined;
  readonly ip: string | undefined;
  readonly remoteIp: string | undefined;
  readonly sni: string | undefined;
  /** What providers answer. */
  readonly custom: Readonly<Record<string, Verdict>>;
  readonly metadata: Readonly<Record<string, Claims>> | undefined;
}

export type Caller =
  | { readonly kind: 'plaintext' }
  | { readonly kind: 'spiffe'; readonly id: string }
  | { readonly kind: 'account'; readonly namespace: string; readonly serviceAccount: string };

export function describeCaller(caller: Caller): string {
  switch (caller.kind) {
    case 'plaintext':
      return 'plaintext';
    case 'spiffe':
      return caller.id;
    case 'account':
      return `${caller.namespace}/${caller.serviceAccount}`;
  }
}

/** As an author writes it: `shop/web-reads[0]`, `PeerAuthentication/shop/default`. */
export function describeDecider(decider: ExpectedDecider): string {
  if (decider === 'nothing') return 'nothing';
  const { kind, namespace, name, rule } = decider;
  const prefix = kind === 'AuthorizationPolicy' ? '' : `${kind}/`;
  return `${prefix}${namespace}/${name}${rule === undefined ? '' : `[${rule}]`}`;
}
