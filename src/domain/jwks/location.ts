import type { JwtRule, Policy } from '../policy/index.ts';
import type { KeySetLocation } from '../ports/index.ts';

/** Where a rule's keys are fetched; undefined where it brings its own. */
export function keySetLocation(rule: JwtRule): KeySetLocation | undefined {
  const { issuer, jwks, jwksUri } = rule;
  if (jwks !== undefined) return undefined;
  if (jwksUri !== undefined) return { kind: 'jwks', uri: jwksUri };
  return issuer === undefined ? undefined : { kind: 'openid', issuer };
}

/** Two rules with the same id share their keys. */
export function keySetId(location: KeySetLocation): string {
  return location.kind === 'jwks' ? `jwks:${location.uri}` : `openid:${location.issuer}`;
}

/** For messages, in one line: an issuer may be any text. */
export function describeLocation(location: KeySetLocation): string {
  const text = location.kind === 'jwks' ? location.uri : `the discovery document of ${location.issuer}`;
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** Host and port of whom is asked first; empty where the address is none. */
export function providerOf(location: KeySetLocation): string {
  const address = location.kind === 'jwks' ? location.uri : location.issuer;
  return URL.canParse(address) ? new URL(address).host : '';
}

/** Something that policies want fetched. */
export interface WantedKeySet {
  readonly id: string;
  readonly location: KeySetLocation;
  /** Milliseconds: the longest that one of its rules grants. */
  readonly timeout: number;
  /** Of the policies that want it. */
  readonly namespaces: ReadonlySet<string>;
}

/** What policies want fetched, each once, by id. */
export function wantedKeySets(policies: readonly Policy[]): ReadonlyMap<string, WantedKeySet> {
  const wanted = new Map<string, WantedKeySet>();
  for (const policy of policies) {
    if (policy.kind !== 'RequestAuthentication') continue;
    for (const rule of policy.jwtRules) {
      const location = keySetLocation(rule);
      if (!location) continue;
      const id = keySetId(location);
      const known = wanted.get(id);
      const timeout = Math.max(rule.timeout, known?.timeout ?? 0);
      const namespaces = new Set(known?.namespaces).add(policy.meta.namespace);
      wanted.set(id, { id, location, timeout, namespaces });
    }
  }
  return wanted;
}
