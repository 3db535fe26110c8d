import type { TrustDomain } from '@citadel/spiffe';
import { CitadelError, isCitadelError, type Secret } from '../../kernel/index.ts';
import type { SvidVerifier } from '../identity/index.ts';
import type { Role } from '../ports/index.ts';

export type OperatorProof = 'client-certificate' | 'oidc' | 'local-socket';

/** Who calls the operator API, and how that was proved. */
export interface OperatorIdentity {
  /** `operator:NAME`, `oidc:ISSUER#SUBJECT` or `local:UID`. */
  readonly subject: string;
  readonly proof: OperatorProof;
  /** A role that comes with the proof itself; the store's role counts beside it. */
  readonly role?: Role;
}

/** What a caller brought along. */
export interface OperatorCredentials {
  /** The user at the other end of the local socket, by the kernel's word. */
  readonly localUid?: number;
  /** DER, leaf first; the handshake proved its key. */
  readonly clientCertificates?: readonly Uint8Array[];
  readonly token?: Secret<string>;
  /** Whose session of the console this is; nobody else than BrowserSessions says so. */
  readonly signedIn?: OperatorIdentity;
}

/** Verifies OIDC tokens. @throws CitadelError Unauthenticated, or Unavailable when it could not be judged */
export interface OperatorTokenVerifier {
  verify(
    token: Secret<string>,
  ): Promise<{ readonly issuer: string; readonly subject: string; readonly role?: Role }>;
}

export interface OperatorAuthenticationOptions {
  readonly trustDomain: TrustDomain;
  readonly svidVerifier: SvidVerifier;
  /** Undefined: tokens are not taken. */
  readonly tokenVerifier?: OperatorTokenVerifier | undefined;
  /** Users that the local socket serves. */
  readonly localUids: readonly number[];
}

/** The name in an operator's certificate: one path segment of its SPIFFE ID. */
export const operatorName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The path of an operator's SPIFFE ID, below the trust domain. */
export const operatorPath = (name: string): string => `/citadel/operator/${name}`;

const operatorPathForm = /^\/citadel\/operator\/([a-z0-9-]{1,63})$/;

/**
 * One proof decides: the local socket, else a session, else a token, else a client certificate. A wrong one is an error, also when
 * another would have held, so that nobody is somebody else than he meant to be.
 * @throws CitadelError Unauthenticated; Unavailable when a proof could not be judged
 */
export async function authenticateOperator(
  credentials: OperatorCredentials,
  options: OperatorAuthenticationOptions,
): Promise<OperatorIdentity> {
  const { localUid, signedIn, token, clientCertificates } = credentials;
  if (localUid !== undefined) {
    if (!options.localUids.includes(localUid))
      throw new CitadelError(
        'Unauthenticated',
        'the local socket serves root and the server’s own user alone',
      );
    return { subject: `local:${localUid}`, proof: 'local-socket', role: 'operator' };
  }
  if (signedIn !== undefined) return signedIn;
  if (token !== undefined) {
    if (!options.tokenVerifier)
      throw new CitadelError('Unauthenticated', 'tokens are not taken here; use a client certificate');
    const { issuer, subject, role } = await options.tokenVerifier.verify(token);
    return { subject: `oidc:${issuer}#${subject}`, proof: 'oidc', ...(role ? { role } : {}) };
  }
  const leaf = clientCertificates?.[0];
  if (leaf !== undefined) return await byCertificate(leaf, options);
  throw new CitadelError(
    'Unauthenticated',
    'prove who you are: with a client certificate (citadel operator enrol), a token, or the local socket',
  );
}

async function byCertificate(
  leaf: Uint8Array,
  { svidVerifier, trustDomain }: OperatorAuthenticationOptions,
): Promise<OperatorIdentity> {
  let verified: Awaited<ReturnType<SvidVerifier['verify']>>;
  try {
    verified = await svidVerifier.verify(leaf);
  } catch (error) {
    if (isCitadelError(error, 'Unavailable')) throw error;
    throw new CitadelError('Unauthenticated', 'the client certificate is not valid here; enrol again', {
      cause: error,
    });
  }
  const name = operatorPathForm.exec(verified.spiffeId.path)?.[1];
  if (name === undefined || !verified.spiffeId.trustDomain.equals(trustDomain))
    throw new CitadelError('Unauthenticated', 'the client certificate is not an operator’s');
  return { subject: `operator:${name}`, proof: 'client-certificate' };
}
