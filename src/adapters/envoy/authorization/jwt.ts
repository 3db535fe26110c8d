import type { JwtRule, RequestAuthentication } from '../../../domain/policy/index.ts';
import {
  JwtAuthentication,
  JwtProvider,
  type JwtRequirement,
} from '../../../gen/envoy/extensions/filters/http/jwt_authn/v3/config.ts';
import { nobodysKeys } from './nobody.ts';
import { payloadKey } from './tokens.ts';

/** The keys of an issuer as the server knows them, as text; undefined when it has none, which no token survives. */
export type JwksOf = (rule: JwtRule, policy: RequestAuthentication) => string | undefined;

/**
 * A token may be missing, but not be wrong: each that is found where a rule looks must be valid by one of the rules.
 * Claims go to where conditions read them. The proxy fetches nothing.
 */
export function jwtAuthentication(
  policies: readonly RequestAuthentication[],
  jwksOf: JwksOf,
): JwtAuthentication {
  const providers = policies.flatMap((policy) =>
    policy.jwtRules.map((rule, index) => {
      const name = `ns[${policy.meta.namespace}]-policy[${policy.meta.name}]-jwt[${index}]`;
      return [name, provider(rule, jwksOf(rule, policy))] as const;
    }),
  );
  if (providers.length === 0) return JwtAuthentication.fromPartial({});
  const byName: readonly JwtRequirement[] = providers.map(([name]) => ({
    requiresType: { $case: 'providerName', value: name },
  }));
  const missing: JwtRequirement = { requiresType: { $case: 'allowMissing', value: {} } };
  return JwtAuthentication.fromPartial({
    providers: Object.fromEntries(providers),
    rules: [
      {
        match: { pathSpecifier: { $case: 'prefix', value: '/' } },
        requirementType: {
          $case: 'requires',
          value: { requiresType: { $case: 'requiresAny', value: { requirements: [...byName, missing] } } },
        },
      },
    ],
  });
}

function provider(rule: JwtRule, jwks: string | undefined): JwtProvider {
  return JwtProvider.fromPartial({
    issuer: rule.issuer ?? '',
    audiences: [...rule.audiences],
    jwksSourceSpecifier: {
      $case: 'localJwks',
      value: { specifier: { $case: 'inlineString', value: jwks ?? nobodysKeys } },
    },
    forward: rule.forwardOriginalToken,
    fromHeaders: rule.fromHeaders.map((header) => ({ name: header.name, valuePrefix: header.prefix })),
    fromParams: [...rule.fromParams],
    fromCookies: [...rule.fromCookies],
    forwardPayloadHeader: rule.outputPayloadToHeader ?? '',
    claimToHeaders: rule.outputClaimToHeaders.map(({ header, claim }) => ({
      headerName: header,
      claimName: claim,
    })),
    payloadInMetadata: payloadKey,
    // Strings that are lists of words are compared word by word.
    normalizePayloadInMetadata: {
      spaceDelimitedClaims: [...new Set(['permission', 'scope', ...rule.spaceDelimitedClaims])].toSorted(),
    },
  });
}
