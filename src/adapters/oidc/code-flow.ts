import { createHash, timingSafeEqual } from 'node:crypto';
import type { CodeFlow, PendingSignIn, SignInAnswer } from '../../domain/operators/index.ts';
import { CitadelError, type Clock, type Entropy, Secret } from '../../kernel/index.ts';
import { readAnswer } from './bounded-fetch.ts';
import { createDiscovery } from './discovery.ts';
import { createProviderVerifier, type OidcProvider, refused } from './provider.ts';

export interface CodeFlowOptions {
  /** Its audience is the client's id: it is the client's ID tokens that are verified. */
  readonly provider: OidcProvider;
  readonly clientId: string;
  /** Undefined: a public client, which PKCE alone protects. */
  readonly clientSecret: Secret<string> | undefined;
  readonly scopes: readonly string[];
  readonly clock: Clock;
  readonly entropy: Entropy;
}

const deadline = 10_000;
const largestAnswer = 64 * 1024;
const randomBytes = 32;
/** Longer codes are none that a provider gives. */
const longestCode = 4_096;

/**
 * The authorization code flow (OpenID Connect Core 3.1) with PKCE S256 (RFC 7636), state and nonce, over the endpoints that
 * the provider's discovery names.
 */
export function createCodeFlow(options: CodeFlowOptions): CodeFlow {
  const { provider, clientId, scopes, clock, entropy } = options;
  const { issuer } = provider;
  const verifier = createProviderVerifier({ ...provider, audience: clientId }, clock);
  const discover = createDiscovery(issuer, clock);
  const random = () => Buffer.from(entropy.bytes(randomBytes)).toString('base64url');

  return {
    async begin(redirectUri) {
      const { authorization } = await discover();
      const pending = { state: random(), nonce: random(), verifier: new Secret(random()) };
      const location = new URL(authorization);
      const parameters = {
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: scopes.join(' '),
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: createHash('sha256').update(pending.verifier.reveal()).digest('base64url'),
        code_challenge_method: 'S256',
      };
      for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value);
      return { location: location.href, pending };
    },
    async finish(answer, pending, redirectUri) {
      const code = checkedCode(answer, pending, issuer);
      const { token: endpoint } = await discover();
      const idToken = await exchange(endpoint, code, pending, redirectUri, options);
      const claims = await verifier.claims(idToken);
      if (typeof claims['nonce'] !== 'string' || !same(claims['nonce'], pending.nonce))
        throw refused('it is of another sign-in');
      if (claims['azp'] !== undefined && claims['azp'] !== clientId)
        throw refused('it was given to another client');
      const { subject, role } = verifier.identity(claims);
      return { subject: `oidc:${issuer}#${subject}`, proof: 'oidc', ...(role ? { role } : {}) };
    },
  };
}

/** Pure. @throws CitadelError Unauthenticated for what is no answer to this sign-in */
function checkedCode(
  { state, code, error, issuer: answering }: SignInAnswer,
  pending: PendingSignIn,
  issuer: string,
): Secret<string> {
  const failed = (why: string) => new CitadelError('Unauthenticated', `the sign-in failed: ${why}`);
  if (state === undefined || !same(state, pending.state)) throw failed('its state is another one’s');
  if (answering !== undefined && answering !== issuer) throw failed('another provider answered');
  if (error !== undefined) throw failed('the provider refused it');
  if (code === undefined || code.reveal().length > longestCode) throw failed('the provider gave no code');
  return code;
}

/** RFC 6749, 4.1.3. A code is good once, so nothing is tried twice. */
async function exchange(
  endpoint: string,
  code: Secret<string>,
  { verifier }: PendingSignIn,
  redirectUri: string,
  { clientId, clientSecret }: CodeFlowOptions,
): Promise<Secret<string>> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: code.reveal(),
    redirect_uri: redirectUri,
    code_verifier: verifier.reveal(),
    ...(clientSecret ? {} : { client_id: clientId }),
  });
  // RFC 6749, 2.3.1: both are encoded as in a form before they are joined.
  const encoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  const basic = clientSecret && btoa(`${encoded(clientId)}:${encoded(clientSecret.reveal())}`);
  let body: Buffer;
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      body: form,
      headers: { accept: 'application/json', ...(basic ? { authorization: `Basic ${basic}` } : {}) },
      redirect: 'error',
      signal: AbortSignal.timeout(deadline),
    });
    if (response.status === 400 || response.status === 401) {
      await response.body?.cancel();
      throw new CitadelError(
        'Unauthenticated',
        'the sign-in failed: the provider does not take its code back',
      );
    }
    body = await readAnswer(response, endpoint, largestAnswer);
  } catch (error) {
    if (error instanceof CitadelError) throw error;
    throw new CitadelError('Unavailable', 'the identity provider cannot be asked; try again', {
      cause: error,
    });
  }
  const token = idTokenOf(body);
  if (token === undefined) throw refused('the provider gave none');
  return new Secret(token);
}

function idTokenOf(body: Buffer): string | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    if (typeof answer !== 'object' || answer === null || !('id_token' in answer)) return undefined;
    return typeof answer.id_token === 'string' ? answer.id_token : undefined;
  } catch {
    return undefined;
  }
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
