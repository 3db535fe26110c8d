import { decodeJwt } from 'jose';
import type { OperatorTokenVerifier } from '../../domain/operators/index.ts';
import type { Clock, Secret } from '../../kernel/index.ts';
import { createProviderVerifier, type OidcProvider, refused } from './provider.ts';

/** Verifies operators' OIDC tokens, of any of these providers. */
export function createTokenVerifier(providers: readonly OidcProvider[], clock: Clock): OperatorTokenVerifier {
  const known = new Map(
    providers.map((provider) => [provider.issuer, createProviderVerifier(provider, clock)]),
  );
  return {
    async verify(token) {
      const provider = known.get(claimedIssuer(token));
      if (!provider) throw refused('its issuer is not one of operators.oidc');
      return provider.identity(await provider.claims(token));
    },
  };
}

/** Only picks which provider's rules apply; nothing is believed before the signature holds. */
function claimedIssuer(token: Secret<string>): string {
  try {
    return decodeJwt(token.reveal()).iss ?? '';
  } catch {
    throw refused('it is not a JWT');
  }
}
