import { CitadelError, type Clock, toCitadelError } from '../../kernel/index.ts';
import type { AuditEvent, AuditLog, OperatorRecord, OperatorStore, Role } from '../ports/index.ts';
import {
  authenticateOperator,
  type OperatorAuthenticationOptions,
  type OperatorCredentials,
  type OperatorIdentity,
} from './authenticate.ts';
import { meets, methodRequirements, type OperatorMethod } from './roles.ts';

/** A caller that was let in. */
export interface OperatorCaller extends OperatorIdentity {
  readonly effectiveRole: Role | undefined;
}

export interface OperatorAccessOptions {
  readonly authentication: OperatorAuthenticationOptions;
  readonly operators: OperatorStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

export interface OperatorAccess {
  /** @throws CitadelError Unauthenticated or PermissionDenied; both are in the audit record by then */
  authorize(method: OperatorMethod, credentials: OperatorCredentials): Promise<OperatorCaller>;
  /** Who calls, whatever the role. @throws CitadelError Unauthenticated, audited under `action` */
  authenticate(action: string, credentials: OperatorCredentials): Promise<OperatorCaller>;
  listOperators(): Promise<readonly OperatorRecord[]>;
  grant(caller: OperatorCaller, subject: string, role: Role): Promise<OperatorRecord>;
  revoke(caller: OperatorCaller, subject: string): Promise<void>;
}

const subjectForm =
  /^(?:operator:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|oidc:https?:\/\/[^\s#]{1,512}#[^\s]{1,255})$/;

/** Lets callers in by their role, and manages the roles. Nothing changes before its audit record is durable. */
export function createOperatorAccess(options: OperatorAccessOptions): OperatorAccess {
  const { operators, audit, clock } = options;
  const record = (event: Omit<AuditEvent, 'at' | 'details'>) =>
    audit.append({ ...event, at: clock.now(), details: {} });

  const authenticate = async (action: string, credentials: OperatorCredentials): Promise<OperatorCaller> => {
    try {
      const identity = await authenticateOperator(credentials, options.authentication);
      const stored = await operators.get(identity.subject);
      return { ...identity, effectiveRole: higher(stored?.role, identity.role) };
    } catch (thrown) {
      const error = toCitadelError(thrown);
      const refused = { action, subject: 'unauthenticated', proof: proofOf(credentials), target: '' };
      await record({
        ...refused,
        outcome: error.code === 'Unauthenticated' ? 'refused' : 'failed',
        reason: error.message,
      });
      throw error;
    }
  };

  const change = async <T>(
    event: Omit<AuditEvent, 'at' | 'details' | 'outcome'>,
    effect: () => Promise<T>,
  ) => {
    await record({ ...event, outcome: 'allowed' });
    try {
      return await effect();
    } catch (error) {
      await record({ ...event, outcome: 'failed', reason: toCitadelError(error).message });
      throw error;
    }
  };

  return {
    authenticate,
    async authorize(method, credentials) {
      const action = `operator.${method}`;
      const caller = await authenticate(action, credentials);
      const requirement = methodRequirements[method];
      if (meets(caller.effectiveRole, requirement)) return caller;
      const reason = `this needs the role ${requirement}; ${caller.subject} has ${caller.effectiveRole ?? 'none'}`;
      await record({
        action,
        outcome: 'refused',
        subject: caller.subject,
        proof: caller.proof,
        target: '',
        reason,
      });
      throw new CitadelError(
        'PermissionDenied',
        `${reason}; an operator grants it with: citadel operator grant ${caller.subject} ${requirement}`,
      );
    },
    listOperators: () => operators.list(),
    async grant(caller, subject, role) {
      if (!subjectForm.test(subject))
        throw new CitadelError('InvalidArgument', 'the subject must be operator:NAME or oidc:ISSUER#SUBJECT');
      const granted = { subject, role, grantedAt: clock.now(), grantedBy: caller.subject };
      const event = {
        action: 'operator.grant',
        subject: caller.subject,
        proof: caller.proof,
        target: subject,
      };
      await change({ ...event, reason: `role ${role}` }, () => operators.grant(granted));
      return granted;
    },
    async revoke(caller, subject) {
      const before = await operators.get(subject);
      if (!before) throw new CitadelError('NotFound', 'no such operator; citadel operator list names them');
      const event = {
        action: 'operator.revoke',
        subject: caller.subject,
        proof: caller.proof,
        target: subject,
      };
      await change({ ...event, reason: `had role ${before.role}` }, () => operators.revoke(subject));
    },
  };
}

function proofOf({ localUid, signedIn, token, clientCertificates }: OperatorCredentials): string {
  if (localUid !== undefined) return 'local-socket';
  if (signedIn !== undefined) return signedIn.proof;
  if (token !== undefined) return 'oidc';
  return clientCertificates?.length ? 'client-certificate' : 'none';
}

function higher(a: Role | undefined, b: Role | undefined): Role | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return meets(a, b) ? a : b;
}
