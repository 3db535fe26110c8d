import type { JwtRule, RequestAuthentication } from '../model.ts';
import { readInlineKeys } from '../read/index.ts';
import { type LintContext, named, type Remark } from './context.ts';

/** Keys that are not had, or that are not those alone that are meant. */
export function keys({ policies }: LintContext): readonly Remark[] {
  return policies.flatMap((policy) => (policy.kind === 'RequestAuthentication' ? ofRules(policy) : []));
}

function ofRules(policy: RequestAuthentication): readonly Remark[] {
  return policy.jwtRules.flatMap((rule, index) =>
    keysOf(rule).map(({ at, ...remark }) => ({ policy, path: ['spec', 'jwtRules', index, at], ...remark })),
  );
}

type KeyRemark = Omit<Remark, 'policy' | 'path'> & { readonly at: string };

function keysOf({ issuer, jwks, jwksUri }: JwtRule): readonly KeyRemark[] {
  const found: KeyRemark[] = [];
  if (jwksUri?.startsWith('http:'))
    found.push({
      rule: 'keys-over-http',
      at: 'jwksUri',
      message: 'keys are fetched over https alone: whoever stands between could give others',
      mend: 'write https://',
    });
  if (issuer === undefined)
    found.push({
      rule: 'any-issuer',
      at: 'jwksUri',
      message: 'without an issuer a token of whatever issuer is taken that one of these keys verifies',
      mend: 'add the issuer, as the iss claim of its tokens has it',
    });
  else if (jwks === undefined && jwksUri === undefined && !issuer.startsWith('https://'))
    found.push({
      rule: 'keys-not-found',
      at: 'issuer',
      message: 'keys are asked of the issuer, which is no https:// address',
      mend: 'name them by jwksUri or jwks',
    });
  const inline = jwks === undefined ? undefined : readInlineKeys(jwks);
  if (inline === undefined || 'message' in inline) return found;
  if (inline.secret.length > 0)
    found.push({
      rule: 'private-keys',
      at: 'jwks',
      message: `${named(inline.secret)} can also sign: whoever reads the policy can make tokens`,
      mend: 'keep the public parts alone',
    });
  if (inline.passedOver.length > 0)
    found.push({
      rule: 'keys-passed-over',
      at: 'jwks',
      message: `${named(inline.passedOver)}: no token is verified with it`,
      mend: 'leave it out, if it is not needed elsewhere',
    });
  return found;
}
