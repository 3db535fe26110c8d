import { CitadelError, type Clock, type Entropy, type Secret, toCitadelError } from '../../kernel/index.ts';
import type { AuditLog } from '../ports/index.ts';
import type { OperatorAccess, OperatorCaller } from './access.ts';
import type { OperatorCredentials, OperatorIdentity } from './authenticate.ts';
import type { OperatorMethod } from './roles.ts';
import { type SessionLimits, Sessions } from './sessions.ts';

/** What of a sign-in stays here while the browser is at the provider. */
export interface PendingSignIn {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: Secret<string>;
}

/** OpenID Connect's code flow (Core 3.1), as far as it is a provider's. */
export interface CodeFlow {
  /** @throws CitadelError Unavailable when the provider cannot be asked */
  begin(redirectUri: string): Promise<{ readonly location: string; readonly pending: PendingSignIn }>;
  /** @throws CitadelError Unauthenticated for what the provider did not answer to this very sign-in; Unavailable */
  finish(answer: SignInAnswer, pending: PendingSignIn, redirectUri: string): Promise<OperatorIdentity>;
}

/** What the browser brings back from the provider. */
export interface SignInAnswer {
  readonly state: string | undefined;
  readonly code: Secret<string> | undefined;
  /** As in `access_denied` (RFC 6749, 4.1.2.1). */
  readonly error: string | undefined;
  /** RFC 9207. */
  readonly issuer: string | undefined;
}

export interface BrowserSessionOptions {
  readonly access: OperatorAccess;
  readonly audit: AuditLog;
  /** Undefined: nobody signs in by OpenID Connect. */
  readonly codeFlow: CodeFlow | undefined;
  readonly clientCertificates: boolean;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** What a request brings along. */
export interface BrowserProof {
  readonly session: Secret<string> | undefined;
  /** DER; the handshake proved its key. */
  readonly clientCertificate: Uint8Array | undefined;
}

export interface SignedIn {
  readonly token: Secret<string>;
  readonly subject: string;
}

export interface BrowserSessions {
  readonly ways: { readonly oidc: boolean; readonly clientCertificate: boolean };
  /** @throws CitadelError Unauthenticated, audited */
  signInByCertificate(clientCertificate: Uint8Array | undefined): Promise<SignedIn>;
  beginSignIn(redirectUri: string): Promise<{ readonly location: string; readonly token: Secret<string> }>;
  /**
   * @param token of the browser in which the sign-in began; good once
   * @throws CitadelError Unauthenticated, audited
   */
  finishSignIn(
    token: Secret<string> | undefined,
    answer: SignInAnswer,
    redirectUri: string,
  ): Promise<SignedIn>;
  /** @throws CitadelError Unauthenticated or PermissionDenied, both audited; by a session alone */
  authorize(
    method: OperatorMethod,
    proof: BrowserProof,
  ): Promise<{ readonly caller: OperatorCaller; readonly endsAt: Date }>;
  /** Ends a session; safe to repeat. */
  signOut(session: Secret<string>): Promise<void>;
}

const action = 'console.sign-in';
/** At the provider an author looks for a password and a second factor; not longer. */
const pendingLimits: SessionLimits = {
  idle: 600_000,
  lifetime: 600_000,
  sessions: 1_000,
  perOwner: 1_000,
};

/** Who has signed in with a browser. A session is of one identity, and of one who has shown a certificate while he shows it. */
export function createBrowserSessions(options: BrowserSessionOptions): BrowserSessions {
  const { access, audit, codeFlow, clock } = options;
  const sessions = new Sessions<OperatorIdentity>(options.limits, options);
  const pending = new Sessions<PendingSignIn>(pendingLimits, options);
  const record = (
    outcome: 'allowed' | 'refused',
    who: Pick<OperatorIdentity, 'subject' | 'proof'> | undefined,
    reason: string,
    what = action,
  ) =>
    audit.append({
      at: clock.now(),
      action: what,
      outcome,
      subject: who?.subject ?? 'unauthenticated',
      proof: who?.proof ?? 'oidc',
      target: '',
      reason,
      details: {},
    });
  const open = async (identity: OperatorIdentity): Promise<SignedIn> => {
    const token = sessions.open(identity.subject, identity);
    await record('allowed', identity, 'a session of the console begins');
    return { token, subject: identity.subject };
  };

  return {
    ways: { oidc: codeFlow !== undefined, clientCertificate: options.clientCertificates },
    async signInByCertificate(clientCertificate) {
      if (!options.clientCertificates)
        throw new CitadelError('FailedPrecondition', 'client certificates are not taken here');
      const credentials = certificateAlone(clientCertificate);
      const { subject, proof } = await access.authenticate(action, credentials);
      return await open({ subject, proof });
    },
    async beginSignIn(redirectUri) {
      if (!codeFlow) throw new CitadelError('FailedPrecondition', 'nobody signs in by OpenID Connect here');
      const { location, pending: begun } = await codeFlow.begin(redirectUri);
      return { location, token: pending.open('', begun) };
    },
    async finishSignIn(token, answer, redirectUri) {
      try {
        // Taken before anything is looked at: whatever comes of it, it is good once.
        const begun = token && pending.close(token);
        if (!codeFlow || !begun)
          throw new CitadelError('Unauthenticated', 'this sign-in did not begin here, or took too long');
        return await open(await codeFlow.finish(answer, begun, redirectUri));
      } catch (thrown) {
        const error = toCitadelError(thrown);
        await record('refused', undefined, error.message);
        throw error;
      }
    },
    async authorize(method, { session: token, clientCertificate }) {
      const session = token && sessions.use(token);
      if (!session) throw new CitadelError('Unauthenticated', 'sign in first; sessions end by themselves');
      const { value: identity, endsAt } = session;
      const byCertificate = identity.proof === 'client-certificate';
      const credentials = byCertificate ? certificateAlone(clientCertificate) : { signedIn: identity };
      const caller = await access.authorize(method, credentials);
      if (caller.subject === identity.subject) return { caller, endsAt };
      throw new CitadelError('Unauthenticated', 'this session is another operator’s; sign in again');
    },
    async signOut(token) {
      const identity = sessions.close(token);
      if (identity) await record('allowed', identity, 'a session of the console ends', 'console.sign-out');
    },
  };
}

/** Without a certificate nobody else is meant: see authenticateOperator. */
function certificateAlone(leaf: Uint8Array | undefined): OperatorCredentials {
  return leaf ? { clientCertificates: [leaf] } : {};
}
