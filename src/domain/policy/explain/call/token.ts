import { formatPath, type YamlPlace } from '../../../../yaml/index.ts';
import { type Claims, textsAt } from '../../decide/index.ts';
import type { JwtRule, Policy } from '../../model.ts';
import type { PolicyLocator } from '../../read/index.ts';
import { isForAudience, isOfIssuer } from '../../token-rule.ts';
import type { PolicyReference } from '../model.ts';
import { referenceOf } from '../rule.ts';

/** What is said of the token that a request brings. */
export type GivenToken = 'unknown' | 'none' | Claims;

/** What becomes of a token where it is looked at. Its signature is taken to be good. */
export interface TokenFinding {
  /**
   * `unread`: no RequestAuthentication holds here, so that nobody looks at tokens, and policies see none of it; `depends`: it
   * is not known whether there is one, and which.
   */
  readonly outcome: 'none' | 'unread' | 'taken' | 'refused' | 'depends';
  /** What it was refused for: no rule is for its issuer, or its audience; its times. */
  readonly refusal?: 'issuer' | 'audience' | 'expired' | 'not-yet';
  /** The rule that took it, or, of those for its issuer, the first that did not. */
  readonly by?: PolicyReference;
  /** `spec.jwtRules[0]`. */
  readonly path?: string;
  readonly place?: YamlPlace;
  /** What rules ask for, of that which it was refused for. */
  readonly wanted: readonly string[];
  readonly came: readonly string[];
}

interface Placed {
  readonly rule: JwtRule;
  readonly finding: Pick<TokenFinding, 'by' | 'path' | 'place'>;
}

/** Milliseconds by which clocks may differ, as Envoy allows. */
const skew = 60_000;

/** As the proxy does it: a token may be missing, but not be one that no rule takes. */
export function tokenOf(
  policies: readonly Policy[],
  given: GivenToken,
  now: Date,
  locate: PolicyLocator,
): { readonly finding: TokenFinding; readonly rule: JwtRule | undefined } {
  const placed = policies.flatMap((policy) =>
    policy.kind === 'RequestAuthentication'
      ? policy.jwtRules.map((rule, index): Placed => {
          const path = ['spec', 'jwtRules', index];
          const place = locate(policy, path);
          return {
            rule,
            finding: { by: referenceOf(policy), path: formatPath(path), ...(place && { place }) },
          };
        })
      : [],
  );
  const plain = (outcome: TokenFinding['outcome']) => ({
    finding: { outcome, wanted: [], came: [] },
    rule: undefined,
  });
  if (placed.length === 0) return plain(given === 'none' ? 'none' : 'unread');
  if (given === 'none') return plain('none');
  if (given === 'unknown') return plain('depends');
  return judge(placed, given, now);
}

function judge(placed: readonly Placed[], claims: Claims, now: Date): ReturnType<typeof tokenOf> {
  const refused = (
    refusal: NonNullable<TokenFinding['refusal']>,
    wanted: readonly string[],
    came: readonly string[],
    by?: Placed,
  ) => ({ finding: { outcome: 'refused' as const, refusal, wanted, came, ...by?.finding }, rule: undefined });
  const issuer = textsAt(claims, ['iss']);
  const ofIssuer = placed.filter(({ rule }) => isOfIssuer(rule, issuer));
  if (ofIssuer.length === 0)
    return refused('issuer', [...new Set(placed.flatMap(({ rule }) => rule.issuer ?? []))], issuer);
  const audience = textsAt(claims, ['aud']);
  const taking = ofIssuer.find(({ rule }) => isForAudience(rule, audience));
  if (!taking)
    return refused(
      'audience',
      [...new Set(ofIssuer.flatMap(({ rule }) => rule.audiences))],
      audience,
      ofIssuer[0],
    );
  const [expires, begins] = [timeAt(claims, 'exp'), timeAt(claims, 'nbf')];
  if (expires !== undefined && now.getTime() > expires + skew)
    return refused('expired', [], [new Date(expires).toISOString()], taking);
  if (begins !== undefined && now.getTime() < begins - skew)
    return refused('not-yet', [], [new Date(begins).toISOString()], taking);
  return { finding: { outcome: 'taken', wanted: [], came: issuer, ...taking.finding }, rule: taking.rule };
}

/** Milliseconds. */
function timeAt(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  return typeof value === 'number' && Math.abs(value) < 8.64e12 ? value * 1000 : undefined;
}
