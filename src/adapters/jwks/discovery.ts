import { CitadelError } from '../../kernel/index.ts';

/**
 * Where an issuer describes itself (OpenID Connect Discovery 1.0, 4).
 * @throws CitadelError where the issuer is no URL, and so cannot
 */
export function discoveryAddress(issuer: string): string {
  if (!/^https?:\/\//.test(issuer) || !URL.canParse(issuer))
    throw new CitadelError(
      'InvalidArgument',
      'the issuer is no URL by which its keys could be found: give jwks or jwksUri',
    );
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/**
 * Where the document says that the keys are. It must speak for the very issuer that was asked (4.3), so that nobody can
 * answer for another.
 */
export function keysOfDiscovery(text: string, issuer: string): string {
  const { issuer: claimed, jwks_uri: uri } = parseObject(text);
  if (claimed !== issuer) throw broken('is not about this issuer');
  if (typeof uri !== 'string') throw broken('names no jwks_uri');
  return uri;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed };
  } catch {
    // The parser's own words would quote the text.
  }
  throw broken('is no JSON object');
}

function broken(what: string): CitadelError {
  return new CitadelError('FailedPrecondition', `the discovery document ${what}`);
}
