import { CitadelError, type Clock, type Secret, toCitadelError } from '../../kernel/index.ts';
import { readCertificateRequest } from '../../pki/index.ts';
import type { AuditLog, OneTimeCredential, OperatorStore, Role } from '../ports/index.ts';
import type { OperatorAccess } from './access.ts';
import { type OperatorCredentials, operatorName } from './authenticate.ts';
import { credentialDigest } from './credential.ts';

export interface OperatorCertificateRequest {
  /** PKCS#10, PEM; its public key alone counts. */
  readonly csr: string;
  /** The certificate's SPIFFE ID is `spiffe://TRUST-DOMAIN/citadel/operator/NAME`. */
  readonly name: string;
}

export interface EnrolmentRequest extends OperatorCertificateRequest {
  /** The one-time credential; undefined when the connection itself proves the right. */
  readonly credential?: Secret<string>;
  readonly role?: Role;
}

export interface Enrolment {
  /** PEM, leaf first. */
  readonly chain: readonly string[];
  readonly role: Role;
}

export interface EnrolmentOptions {
  readonly access: OperatorAccess;
  readonly operators: OperatorStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** Issues the short-lived client certificate. */
  readonly issueOperatorCertificate: (
    request: OperatorCertificateRequest,
  ) => Promise<{ readonly chain: readonly string[] }>;
}

export type EnrolOperator = (
  request: EnrolmentRequest,
  credentials: OperatorCredentials,
) => Promise<Enrolment>;

interface Right {
  readonly role: Role;
  readonly by: string;
  readonly proof: string;
  /** Given back when nothing came of it. */
  readonly taken?: OneTimeCredential;
}

/**
 * Makes operators: the one-time credential makes the first, the local socket and operators make others, and everyone
 * renews a certificate of his own.
 */
export function createEnrolment(options: EnrolmentOptions): EnrolOperator {
  const { operators, audit, clock } = options;
  return async (request, credentials) => {
    if (!operatorName.test(request.name))
      throw new CitadelError(
        'InvalidArgument',
        'the name must be lower-case letters, digits and dashes, at most 63, neither first nor last a dash',
      );
    await readCertificateRequest(request.csr);
    const subject = `operator:${request.name}`;
    const existing = await operators.get(subject);
    const right = request.credential
      ? await byCredential(request.credential, subject, options)
      : await byCaller(request, credentials, subject, existing?.role, options);
    const event = {
      action: 'operator.enrol',
      subject: right.by,
      proof: right.proof,
      target: subject,
      details: {},
    };
    try {
      if (request.credential && existing)
        throw new CitadelError('AlreadyExists', 'this name is taken; choose another');
      await audit.append({ ...event, at: clock.now(), outcome: 'allowed', reason: `role ${right.role}` });
      const { chain } = await options.issueOperatorCertificate({ csr: request.csr, name: request.name });
      if (existing?.role !== right.role)
        await operators.grant({ subject, role: right.role, grantedAt: clock.now(), grantedBy: right.by });
      return { chain, role: right.role };
    } catch (error) {
      if (right.taken) await operators.addCredential(right.taken);
      await audit.append({
        ...event,
        at: clock.now(),
        outcome: 'failed',
        reason: toCitadelError(error).message,
      });
      throw error;
    }
  };
}

async function byCredential(
  credential: Secret<string>,
  subject: string,
  { operators, audit, clock }: EnrolmentOptions,
): Promise<Right> {
  const now = clock.now();
  const taken = await operators.takeCredential(credentialDigest(credential), now);
  if (taken) return { role: taken.role, by: 'one-time-credential', proof: 'one-time-credential', taken };
  const reason = 'the one-time credential is wrong, used up or expired';
  await audit.append({
    at: now,
    action: 'operator.enrol',
    outcome: 'refused',
    subject: 'unauthenticated',
    proof: 'one-time-credential',
    target: subject,
    reason,
    details: {},
  });
  throw new CitadelError('Unauthenticated', `${reason}; on the server's machine, use --socket instead`);
}

async function byCaller(
  request: EnrolmentRequest,
  credentials: OperatorCredentials,
  subject: string,
  existingRole: Role | undefined,
  { access, audit, clock }: EnrolmentOptions,
): Promise<Right> {
  const caller = await access.authenticate('operator.enrol', credentials);
  const { subject: by, proof } = caller;
  if (caller.subject === subject && existingRole !== undefined) return { role: existingRole, by, proof };
  if (caller.effectiveRole === 'operator')
    return { role: request.role ?? existingRole ?? 'operator', by, proof };
  const reason = 'only operators, the local socket and a one-time credential make operators';
  await audit.append({
    at: clock.now(),
    action: 'operator.enrol',
    outcome: 'refused',
    subject: by,
    proof,
    target: subject,
    reason,
    details: {},
  });
  throw new CitadelError('PermissionDenied', reason);
}
