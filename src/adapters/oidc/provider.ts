import { readFile } from 'node:fs/promises';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Role } from '../../domain/ports/index.ts';
import { CitadelError, type Clock, type Secret } from '../../kernel/index.ts';
import { readAnswer } from './bounded-fetch.ts';

/** An OpenID provider whose tokens operators may show. */
export interface OidcProvider {
  readonly issuer: string;
  readonly audience: string;
  readonly keys:
    | { readonly kind: 'jwksFile'; readonly value: string }
    | { readonly kind: 'jwksUri'; readonly value: string };
  /** A role by a claim: the highest role that one of its values names. */
  readonly roleClaim?: { readonly claim: string; readonly roles: Readonly<Record<string, Role>> } | undefined;
}

/** Asymmetric alone: with a public key as a MAC key anybody could sign. */
const algorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'];
const clockTolerance = 30;
const largestJwks = 256 * 1024;
const largestSubject = 255;
const rank: readonly Role[] = ['viewer', 'author', 'operator'];

/** What a verified token says of whom it is about. */
export interface TokenIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly role?: Role;
}

export interface ProviderVerifier {
  /** The claims of a token of this provider for this audience. @throws CitadelError Unauthenticated, Unavailable */
  claims(token: Secret<string>): Promise<JWTPayload>;
  /** @throws CitadelError Unauthenticated where there is no usable subject */
  identity(claims: JWTPayload): TokenIdentity;
}

/** Verifies the tokens of one provider (OpenID Connect Core 3.1.3.7): issuer, audience, signature, expiry, subject. */
export function createProviderVerifier(provider: OidcProvider, clock: Clock): ProviderVerifier {
  const keys = keySource(provider);
  return {
    claims: (token) => verifySignature(token, provider, keys, clock),
    identity(claims) {
      const { sub } = claims;
      if (!sub || sub.length > largestSubject || /\s/.test(sub)) throw refused('it has no usable subject');
      const role = roleOf(claims, provider);
      return { issuer: provider.issuer, subject: sub, ...(role ? { role } : {}) };
    },
  };
}

export function refused(why: string, cause?: unknown): CitadelError {
  return new CitadelError('Unauthenticated', `the token is not taken: ${why}`, { cause });
}

async function verifySignature(
  token: Secret<string>,
  { issuer, audience }: OidcProvider,
  keys: JWTVerifyGetKey,
  clock: Clock,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token.reveal(), keys, {
      issuer,
      audience,
      algorithms,
      clockTolerance,
      currentDate: clock.now(),
      requiredClaims: ['exp', 'sub'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw refused('it has expired; get a fresh one', error);
    if (error instanceof errors.JWTClaimValidationFailed)
      throw refused(`its claim ${error.claim} is wrong`, error);
    if (error instanceof errors.JWKSNoMatchingKey)
      throw refused('none of its issuer’s keys is the one it names', error);
    if (error instanceof errors.JOSEError) throw refused('its signature does not hold', error);
    throw error;
  }
}

/** The keys of a provider. What is wrong with them is not the token's fault, and told apart from it. */
function keySource({ keys }: OidcProvider): JWTVerifyGetKey {
  const source = keys.kind === 'jwksUri' ? remoteKeys(keys.value) : fileKeys(keys.value);
  return async (header, token) => {
    try {
      return await source(header, token);
    } catch (error) {
      if (tokenErrors.some((each) => error instanceof each)) throw error;
      throw new CitadelError('Unavailable', 'the keys of the token’s issuer cannot be read; try again', {
        cause: error,
      });
    }
  };
}

/** What choosing a key throws because of what the token's header says. */
const tokenErrors = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

/**
 * Read again when a token names a key that is not there, at most each 30 s, so that nobody can have the provider asked for
 * each token that he makes up; and after 10 minutes, so that a key that was taken back is not believed for longer.
 */
function remoteKeys(uri: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(uri), {
    timeoutDuration: 5_000,
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    [customFetch]: boundedFetch,
  });
}

const boundedFetch: FetchImplementation = async (url, options) =>
  new Response(await readAnswer(await fetch(url, options), url, largestJwks));

/** Read at each use: whoever rotates the file need not restart us, and operators' calls are rare. */
function fileKeys(path: string): JWTVerifyGetKey {
  return async (header, token) => {
    const text = await readFile(path, 'utf8');
    if (text.length > largestJwks) throw new Error(`${path} is larger than ${largestJwks} bytes`);
    return await createLocalJWKSet(JSON.parse(text))(header, token);
  };
}

function roleOf(payload: JWTPayload, { roleClaim }: OidcProvider): Role | undefined {
  if (!roleClaim) return undefined;
  const claim = payload[roleClaim.claim];
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const roles = values.flatMap((value) =>
    typeof value === 'string' && Object.hasOwn(roleClaim.roles, value) ? [roleClaim.roles[value]] : [],
  );
  return rank.findLast((role) => roles.includes(role));
}
