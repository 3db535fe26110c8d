import type { Claims } from '../decide/index.ts';
import type { JwtRule, RequestAuthentication } from '../model.ts';

/** What the tokens' filter makes of a request's token. */
export type TokenVerdict =
  /** Nobody looks: what it says is not known to any policy. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'accepted'; readonly claims: Claims; readonly by: JwtRuleReference }
  /** 401: none of the rules takes it. */
  | { readonly kind: 'unauthorized'; readonly by: JwtRuleReference; readonly reason: string }
  /** 403: of a known issuer, for another audience. */
  | { readonly kind: 'forbidden'; readonly by: JwtRuleReference; readonly reason: string };

export interface JwtRuleReference {
  readonly policy: RequestAuthentication;
  /** From 0. */
  readonly rule: number;
}

/** Milliseconds by which Envoy's clock and an issuer's may differ. */
const clockSkew = 60_000;

/**
 * Judges a token by all rules that hold, as Envoy's jwt_authn does: one that takes it is enough, and it counts as if it
 * came where that rule looks.
 * @param token its claims, signed by who the rule trusts; `invalid` is signed by nobody
 */
export function judgeToken(
  policies: readonly RequestAuthentication[],
  token: Claims | 'invalid',
  now: number,
): TokenVerdict {
  const rules = policies.flatMap((policy) => policy.jwtRules.map((rule, index) => ({ policy, rule, index })));
  const [first] = rules;
  if (first === undefined) return { kind: 'ignored' };
  let refused: Exclude<TokenVerdict, { kind: 'ignored' | 'accepted' }> = {
    kind: 'unauthorized',
    by: { policy: first.policy, rule: first.index },
    reason: token === 'invalid' ? 'no key verifies it' : `no rule is of its issuer, ${issuerOf(token)}`,
  };
  if (token === 'invalid') return refused;
  for (const { policy, rule, index } of rules) {
    const by = { policy, rule: index };
    if (rule.issuer !== undefined && rule.issuer !== token['iss']) continue;
    const wrongTime = timeFault(token, now);
    if (wrongTime !== undefined) refused = { kind: 'unauthorized', by, reason: wrongTime };
    else if (!isForAudience(rule, token))
      refused = { kind: 'forbidden', by, reason: `it is not for ${rule.audiences.join(' or ')}` };
    else return { kind: 'accepted', claims: token, by };
  }
  return refused;
}

function issuerOf({ iss }: Claims): string {
  return typeof iss === 'string' ? JSON.stringify(iss) : 'which it does not name';
}

function timeFault({ exp, nbf }: Claims, now: number): string | undefined {
  if (typeof exp === 'number' && exp * 1000 + clockSkew < now) return 'it has expired (exp)';
  if (typeof nbf === 'number' && nbf * 1000 - clockSkew > now) return 'it does not hold yet (nbf)';
  return undefined;
}

function isForAudience({ audiences }: JwtRule, { aud }: Claims): boolean {
  if (audiences.length === 0) return true;
  const known = new Set(audiences.map(plainAudience));
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return given.some((each) => typeof each === 'string' && known.has(plainAudience(each)));
}

/** Envoy compares them without a scheme of HTTP and without a slash at the end. */
function plainAudience(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '');
}
