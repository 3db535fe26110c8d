import { SpiffeId, type TrustDomain } from '@citadel/spiffe';
import { type Clock, CitadelError, type Entropy, type Log, toCitadelError } from '../../kernel/index.ts';
import { checkIssued, lintLeaf, readCertificateRequest, toPem } from '../../pki/index.ts';
import type { ActiveIssuer, AuthorityService } from '../authority/index.ts';
import {
  authorizeIdentity,
  describePrincipal,
  type IdentityPolicy,
  impersonationRefused,
  type Principal,
} from '../identity/index.ts';
import type { Attestor, AuditLog, AuditOutcome, Credentials, IssuanceStore, WorkloadDirectory } from '../ports/index.ts';
import type { TrustBundleSnapshot } from '../trust/snapshot.ts';
import type { IssuanceMetrics } from './metrics.ts';
import { decideValidity, type ValidityPolicy } from './validity.ts';

export interface IssuanceServiceOptions {
  readonly identity: IdentityPolicy;
  readonly validity: ValidityPolicy;
  readonly attestors: readonly Attestor[];
  /** Absent where no platform can be asked; impersonation is refused then. */
  readonly directory?: (clusterId: string) => WorkloadDirectory | undefined;
  readonly authority: Pick<AuthorityService, 'issuer'>;
  readonly store: IssuanceStore;
  readonly audit: AuditLog;
  readonly metrics: IssuanceMetrics;
  readonly clock: Clock;
  readonly entropy: Entropy;
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

export interface IssuedCertificate {
  readonly spiffeId: SpiffeId;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** PEM, leaf first, then one intermediate an element; without roots. */
  readonly chainPem: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The bundle that goes with this certificate. */
  readonly bundle: TrustBundleSnapshot;
}

export interface IssuanceService {
  /** Attests the caller, decides its identity, signs and records. @throws CitadelError, audited */
  issue(call: CertificateCall, signal: AbortSignal): Promise<IssuedCertificate>;
}

/** A serial of 128 random bits, with the bit that makes it positive without a leading zero octet (RFC 5280, 4.1.2.2). */
const serialLength = 16;

export function createIssuanceService(options: IssuanceServiceOptions): IssuanceService {
  const { clock, store, audit, metrics } = options;

  async function attest(credentials: Credentials, signal: AbortSignal): Promise<Principal> {
    const attestor = options.attestors.find((candidate) => candidate.accepts(credentials));
    if (!attestor) {
      throw new CitadelError('Unauthenticated', 'no usable proof of identity: send a bearer token that this server accepts');
    }
    return attestor.attest(credentials, signal);
  }

  async function decideIdentity(principal: Principal, call: CertificateCall, signal: AbortSignal): Promise<SpiffeId> {
    const decision = authorizeIdentity(
      { principal, ...(call.impersonated === undefined ? {} : { impersonated: readImpersonated(call.impersonated) }) },
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

  async function sign(
    issuer: ActiveIssuer,
    spki: Uint8Array,
    spiffeId: SpiffeId,
    principal: Principal,
    requestedSeconds: bigint,
  ): Promise<IssuedCertificate> {
    const now = clock.now();
    const { notBefore, notAfter } = decideValidity(requestedSeconds, issuer.chainNotAfter, now, options.validity);
    const uri = spiffeId.toString();
    const expected = { spki, uri, notBefore, notAfter };
    const prepared = issuer.leafIssuer.prepare({
      spki,
      spiffeId: uri,
      serial: options.entropy.bytes(serialLength),
      notBefore,
      notAfter,
    });
    const findings = lintLeaf(prepared.tbs, expected);
    if (findings.length > 0) throw unfit(findings);
    await store.recordIntent({
      serial: prepared.serialHex,
      spiffeId: uri,
      principal: describePrincipal(principal),
      proxyKey: proxyKeyOf(principal, prepared.serialHex),
      issuer: issuer.record.fingerprint,
      tbsDigest: prepared.tbsDigest,
      bundleVersion: issuer.bundle.version,
      notBefore,
      notAfter,
      recordedAt: now,
    });
    let certificate: Uint8Array;
    try {
      certificate = await issuer.leafIssuer.sign(prepared);
      const wrong = await checkIssued(certificate, prepared, issuer.leafIssuer);
      if (wrong.length > 0) throw unfit(wrong);
    } catch (error) {
      await store.recordResult({ serial: prepared.serialHex, state: 'failed', reason: toCitadelError(error).message });
      throw error;
    }
    await store.recordResult({ serial: prepared.serialHex, state: 'issued', certificate });
    return {
      spiffeId,
      serial: prepared.serialHex,
      certificate,
      chainPem: [toPem(certificate), ...issuer.chainPem],
      notBefore,
      notAfter,
      bundle: issuer.bundle,
    };
  }

  return {
    async issue(call, signal) {
      const started = performance.now();
      const facts: AuditFacts = { subject: 'unauthenticated', proof: 'none', target: '' };
      try {
        const principal = await attest(call.credentials, signal);
        facts.subject = describePrincipal(principal);
        facts.proof = principal.proof;
        const spiffeId = await decideIdentity(principal, call, signal);
        facts.target = spiffeId.toString();
        const csr = await readCertificateRequest(call.csr);
        const issued = await sign(options.authority.issuer(), csr.publicKey.spki, spiffeId, principal, call.requestedSeconds);
        await record('allowed', facts, 'issued', { serial: issued.serial, bundleVersion: issued.bundle.version });
        metrics.issued((performance.now() - started) / 1000);
        return issued;
      } catch (thrown) {
        const error = toCitadelError(thrown);
        metrics.refused(error.code, (performance.now() - started) / 1000);
        options.log.info('certificate refused', { ...facts, code: error.code, reason: error.message, details: error.details });
        await record(isRefusal(error) ? 'refused' : 'failed', facts, error.message, { code: error.code }).catch(
          (cause: unknown) => options.log.error('the audit record could not be written', { cause }),
        );
        throw error;
      }
    },
  };

  function record(outcome: AuditOutcome, facts: AuditFacts, reason: string, details: Record<string, string>): Promise<void> {
    return audit.append({ at: clock.now(), action: 'certificate.issue', outcome, ...facts, reason, details });
  }
}

interface AuditFacts {
  subject: string;
  proof: string;
  target: string;
}

function isRefusal(error: CitadelError): boolean {
  return ['InvalidArgument', 'Unauthenticated', 'PermissionDenied', 'ResourceExhausted'].includes(error.code);
}

function readImpersonated(text: string): SpiffeId {
  try {
    return SpiffeId.parse(text);
  } catch (cause) {
    throw new CitadelError('InvalidArgument', 'ImpersonatedIdentity is not a SPIFFE ID', { cause });
  }
}

function unfit(findings: readonly string[]): CitadelError {
  return new CitadelError('Internal', 'the certificate failed its own check and was not issued', {
    details: findings.join('; '),
  });
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
