import { hash } from 'node:crypto';
import { SpiffeId } from '@citadel/spiffe';
import { CitadelError, type Clock, type Log, toCitadelError } from '../../kernel/index.ts';
import { readCertificateRequest } from '../../pki/index.ts';
import type { AuthorityService } from '../authority/index.ts';
import {
  authorizeIdentity,
  describePrincipal,
  type IdentityPolicy,
  impersonationRefused,
  type Principal,
} from '../identity/index.ts';
import type {
  Attestor,
  AuditLog,
  AuditOutcome,
  Credentials,
  IssuanceFailure,
  IssuanceStage,
  Metrics,
  WorkloadDirectory,
} from '../ports/index.ts';
import type { HeldLeaf, RenewalService } from '../renewal/index.ts';
import type { IssuedCertificate, LeafService } from './leaf-service.ts';

export interface IssuanceServiceOptions {
  readonly identity: IdentityPolicy;
  readonly leaves: LeafService;
  readonly attestors: readonly Attestor[];
  /** Absent where no platform can be asked; impersonation is refused then. */
  readonly directory?: (clusterId: string) => WorkloadDirectory | undefined;
  readonly authority: Pick<AuthorityService, 'issuer' | 'bundleFor'>;
  /** Whether an agent of this proxy is connected: who is not gets the bundle of all, since he could not tell what comes of another. */
  readonly isConnected: (proxyKey: string) => boolean;
  /** Told of each leaf: when it is to be renewed is chosen among all of them. */
  readonly renewals: Pick<RenewalService, 'issued'>;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
}

export interface CertificateCall {
  /** PKCS#10, PEM. */
  readonly csr: string;
  /** Zero asks for the default. */
  readonly requestedSeconds: bigint;
  /** A SPIFFE ID that the caller asks for in place of its own. */
  readonly impersonated?: string;
  readonly credentials: Credentials;
}

export interface IssuanceService {
  /**
   * Attests the caller, decides its identity, signs and records.
   * @param read gives the call; what it throws is a refusal like any other
   * @throws CitadelError, audited
   */
  issue(read: () => CertificateCall, signal: AbortSignal): Promise<IssuedCertificate>;
}

export function createIssuanceService(options: IssuanceServiceOptions): IssuanceService {
  const { clock, audit, metrics } = options;

  async function attest(credentials: Credentials, signal: AbortSignal): Promise<Principal> {
    const attestor = options.attestors.find((candidate) => candidate.accepts(credentials));
    if (!attestor) {
      throw new CitadelError(
        'Unauthenticated',
        'no usable proof of identity: send a bearer token that this server accepts',
      );
    }
    return attestor.attest(credentials, signal);
  }

  async function decideIdentity(
    principal: Principal,
    impersonated: SpiffeId | undefined,
    signal: AbortSignal,
  ): Promise<SpiffeId> {
    const decision = authorizeIdentity(
      { principal, ...(impersonated ? { impersonated } : {}) },
      options.identity,
    );
    if (decision.provided) {
      const clusterId = principal.kind === 'kubernetes' ? principal.clusterId : '';
      const directory = options.directory?.(clusterId);
      if (!directory) throw impersonationRefused('there is no workload directory to ask');
      if (!(await directory.hasPodOnNode(decision.provided, signal))) {
        throw impersonationRefused(`no such pod on node ${decision.provided.nodeName}`);
      }
    }
    return decision.spiffeId;
  }

  return {
    async issue(read, signal) {
      const watch = startWatch(metrics);
      const facts: AuditFacts = { subject: 'unauthenticated', proof: 'none', target: '' };
      metrics.issuanceStarted();
      try {
        const call = read();
        const principal = await watch.time('attest', () => attest(call.credentials, signal));
        facts.subject = describePrincipal(principal);
        facts.proof = principal.proof;
        const spiffeId = await watch.time('authorize', async () => {
          const asked = readImpersonated(call.impersonated);
          // Recorded of a refusal too: what was reached for is what the record is read for.
          if (asked) facts.target = asked.toString();
          return decideIdentity(principal, asked, signal);
        });
        facts.target = spiffeId.toString();
        const csr = await watch.time('request', () => readCertificateRequest(call.csr));
        const { authority, isConnected } = options;
        const issuer = authority.issuer();
        const issued = await watch.time('sign', () =>
          options.leaves.sign(issuer, {
            spki: csr.publicKey.spki,
            spiffeId,
            principal: facts.subject,
            requestedSeconds: call.requestedSeconds,
            proxyKey: (serial) => proxyKeyOf(principal, serial),
            bundleFor: (proxyKey) =>
              isConnected(proxyKey)
                ? authority.bundleFor({ proxyKey, spiffeId: spiffeId.toString() })
                : issuer.bundle,
          }),
        );
        await watch.time('record', () =>
          record('allowed', facts, 'issued', {
            serial: issued.serial,
            // So that the record proves the very certificate, not only that there was one.
            certificate: hash('sha256', issued.certificate, 'hex'),
            bundleVersion: issued.bundle.version,
          }),
        );
        watch.done();
        metrics.issuanceSucceeded();
        options.renewals.issued(heldBy(principal, issued, issuer.record.fingerprint, clock.now()));
        return issued;
      } catch (thrown) {
        const error = toCitadelError(thrown);
        watch.done();
        metrics.issuanceFailed(failureOf(error, watch.stage()), error.code);
        options.log.info('certificate refused', {
          ...facts,
          code: error.code,
          reason: error.message,
          details: error.details,
        });
        await record(isRefusal(error) ? 'refused' : 'failed', facts, error.message, {
          code: error.code,
          ...(error.details === undefined ? {} : { why: error.details.slice(0, longestWhy) }),
        }).catch((cause: unknown) => options.log.error('the audit record could not be written', { cause }));
        throw error;
      }
    },
  };

  function record(
    outcome: AuditOutcome,
    facts: AuditFacts,
    reason: string,
    details: Record<string, string>,
  ): Promise<void> {
    return audit.append({ at: clock.now(), action: 'certificate.issue', outcome, ...facts, reason, details });
  }
}

/** Characters of an error's details in the audit record. */
const longestWhy = 500;

interface AuditFacts {
  subject: string;
  proof: string;
  target: string;
}

interface Watch {
  time<T>(stage: IssuanceStage, work: () => Promise<T>): Promise<T>;
  /** The stage begun last. */
  stage(): IssuanceStage;
  done(): void;
}

function startWatch(metrics: Metrics): Watch {
  const started = performance.now();
  let stage: IssuanceStage = 'total';
  return {
    async time(next, work) {
      stage = next;
      const from = performance.now();
      const result = await work();
      metrics.issuanceStage(next, performance.now() - from);
      return result;
    },
    stage: () => stage,
    done: () => metrics.issuanceStage('total', performance.now() - started),
  };
}

const stageFailure: Readonly<Record<IssuanceStage, IssuanceFailure>> = {
  attest: 'authentication',
  authorize: 'authorization',
  request: 'request',
  sign: 'signing',
  record: 'store',
  total: 'signing',
};

function failureOf(error: CitadelError, stage: IssuanceStage): IssuanceFailure {
  if (error.code === 'ResourceExhausted') return 'limit';
  return error.code === 'InvalidArgument' ? 'request' : stageFailure[stage];
}

function isRefusal(error: CitadelError): boolean {
  return ['InvalidArgument', 'Unauthenticated', 'PermissionDenied', 'ResourceExhausted'].includes(error.code);
}

function readImpersonated(text: string | undefined): SpiffeId | undefined {
  if (text === undefined) return undefined;
  try {
    return SpiffeId.parse(text);
  } catch (cause) {
    throw new CitadelError('InvalidArgument', 'ImpersonatedIdentity is not a SPIFFE ID', { cause });
  }
}

function heldBy(
  principal: Principal,
  { serial, notAfter }: IssuedCertificate,
  issuer: string,
  issuedAt: Date,
): HeldLeaf {
  return { serial, proxyKey: proxyKeyOf(principal, serial), issuer, issuedAt, notAfter };
}

/** One key for one running workload, whatever it calls itself. */
function proxyKeyOf(principal: Principal, serial: string): string {
  switch (principal.kind) {
    case 'kubernetes':
      return principal.pod ? `pod:${principal.clusterId}/${principal.pod.uid}` : `serial:${serial}`;
    case 'development':
      return `development:${principal.namespace}/${principal.serviceAccount}/${principal.instance}`;
    case 'svid':
      return principal.proxyKey;
  }
}
