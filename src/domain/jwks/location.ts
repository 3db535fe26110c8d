import type { JwtRule, Policy } from '../policy/index.ts';
import type { KeySetLocation } from '../ports/index.ts';

/** Where a rule's keys are fetched; undefined where it brings its own. */
export function keySetLocation(rule: JwtRule): KeySetLocation | undefined {
  if (rule.jwks !== undefined) return undefined;
  return rule.jwksUri === undefined
    ? { kind: 'openid', issuer: rule.issuer }
    : { kind: 'jwks', uri: rule.jwksUri };
}

/** Two rules with the same id share their keys. */
export function keySetId(location: KeySetLocation): string {
  return location.kind === 'jwks' ? `jwks:${location.uri}` : `openid:${location.issuer}`;
}

/** For messages. */
export function describeLocation(location: KeySetLocation): string {
  return location.kind === 'jwks' ? location.uri : `the discovery document of ${location.issuer}`;
}

/** Something that policies want fetched. */
export interface WantedKeySet {
  readonly id: string;
  readonly location: KeySetLocation;
  /** Milliseconds: the longest that one of its rules grants. */
  readonly timeout: number;
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
      const timeout = Math.max(rule.timeout, wanted.get(id)?.timeout ?? 0);
      wanted.set(id, { id, location, timeout });
    }
  }
  return wanted;
}
