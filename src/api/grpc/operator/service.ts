import type { TaintAuthority } from '../../../domain/authority/index.ts';
import type { ProxyState } from '../../../domain/mesh/index.ts';
import type {
  EnrolOperator,
  OperatorAccess,
  OperatorCaller,
  OperatorCredentials,
  OperatorMethod,
} from '../../../domain/operators/index.ts';
import type {
  AdoptionStore,
  AuditLog,
  AuthorityRecord,
  AuthorityStore,
  IssuanceQuery,
  IssuanceState,
  IssuanceStore,
  Metrics,
} from '../../../domain/ports/index.ts';
import type { RenewalService } from '../../../domain/renewal/index.ts';
import type { TrustBundleSnapshot } from '../../../domain/trust/index.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError, Secret, toCitadelError } from '../../../kernel/index.ts';
import { readCredentials } from '../credentials.ts';
import type { GrpcService } from '../listener.ts';
import { serverStream } from '../server-stream.ts';
import { unary } from '../status.ts';
import { type AuditLogServices, getAuditLog, listAuditEntries, proveAuditEntry } from './audit-log.ts';
import { type BackupServices, createBackup } from './backup.ts';
import { type DecisionRecordServices, getDecisionRecords } from './decision-records.ts';
import { type DenialServices, getDenial, listDenials } from './denials.ts';
import {
  type EnforcementServices,
  enforceMutualTls,
  listEnforcements,
  revertMutualTls,
} from './enforcement.ts';
import * as messages from './messages.ts';
import { getMutualTlsStatus, type MutualTlsServices } from './mutual-tls.ts';
import { applyPolicies, listPolicies, listPolicyRevisions, type PolicyServices } from './policies.ts';
import { getPolicyShadow, promotePolicyShadow, revertPolicyShadow } from './policy-shadow.ts';
import { getPolicyWorld, type PolicyWorldServices } from './policy-world.ts';
import { type RehearsalServices, rehearseRotation } from './rehearsal.ts';
import {
  getRevocations,
  type RevocationServices,
  revokeAuthority,
  revokeCertificates,
} from './revocation.ts';
import {
  abortRotation,
  continueRotation,
  excuseProxy,
  getRotation,
  planRotation,
  type RotationServices,
  startRotation,
} from './rotation.ts';
import { getStoredPolicies } from './stored-policies.ts';

/** What `citadel check` asks a running server. */
export interface OperatorStatus {
  readonly version: string;
  readonly trustDomain: string;
  readonly startedAt: Date;
  readonly findings: readonly {
    readonly name: string;
    readonly severity: 'ok' | 'warning' | 'broken';
    readonly what: string;
    readonly why: string;
    readonly mend: string;
  }[];
}

export interface OperatorServices
  extends PolicyServices,
    DenialServices,
    PolicyWorldServices,
    DecisionRecordServices,
    MutualTlsServices,
    EnforcementServices,
    RotationServices,
    RevocationServices,
    BackupServices,
    AuditLogServices,
    RehearsalServices {
  readonly access: OperatorAccess;
  readonly enrol: EnrolOperator;
  readonly issuance: Pick<IssuanceStore, 'get' | 'find'>;
  readonly authorities: Pick<AuthorityStore, 'list'>;
  readonly taint: TaintAuthority;
  readonly isSuperseded: (issuer: string) => boolean;
  readonly renewals: Pick<RenewalService, 'progress'>;
  readonly audit: Pick<AuditLog, 'find' | 'inclusion' | 'entries' | 'findIssued'>;
  readonly adoption: Pick<AdoptionStore, 'list'>;
  readonly discovery: () => readonly ProxyState[];
  readonly currentBundle: () => TrustBundleSnapshot;
  readonly status: () => Promise<OperatorStatus>;
  readonly metrics: Metrics;
}

export interface OperatorServiceOptions {
  /** Set where every call comes from this local user: the Unix socket. */
  readonly localUid?: number;
}

const callDeadline = 30_000;
const streamDeadline = 3_600_000;
const defaultPageSize = 100;
const maximumPageSize = 1000;
const largestFilter = 2048;
const serialForm = /^[0-9a-f]{1,40}$/;
const states: readonly IssuanceState[] = ['intended', 'issued', 'failed', 'abandoned'];

const severities = {
  ok: wire.Finding_Severity.SEVERITY_OK,
  warning: wire.Finding_Severity.SEVERITY_WARNING,
  broken: wire.Finding_Severity.SEVERITY_BROKEN,
} as const;

/** The operator API over the ports: authorise by the roles' table, read or change, translate. */
export function createOperatorService(
  services: OperatorServices,
  options: OperatorServiceOptions = {},
): GrpcService {
  const { access, metrics } = services;

  const reKeyingOf = ({ tainted, fingerprint }: AuthorityRecord, waitsFor = ''): wire.ReKeying | undefined =>
    tainted
      ? {
          superseded: services.isSuperseded(fingerprint),
          waitsFor,
          ...services.renewals.progress(fingerprint),
        }
      : undefined;

  const credentialsOf = (call: Parameters<typeof readCredentials>[0]): OperatorCredentials =>
    options.localUid === undefined ? readCredentials(call) : { localUid: options.localUid };

  const counted = async <R>(method: string, serve: () => Promise<R>): Promise<R> => {
    try {
      const response = await serve();
      metrics.operatorCall(method, 'OK');
      return response;
    } catch (error) {
      metrics.operatorCall(method, toCitadelError(error).code);
      throw error;
    }
  };

  const method = <Q, R>(name: OperatorMethod, serve: (request: Q, caller: OperatorCaller) => Promise<R>) =>
    unary<Q, R>(callDeadline, (request, call) =>
      counted(name, async () => serve(request, await access.authorize(name, credentialsOf(call)))),
    );

  const implementation: wire.OperatorServiceServer = {
    whoAmI: method('whoAmI', async (_: wire.WhoAmIRequest, caller) => ({
      subject: caller.subject,
      role: messages.roleToWire(caller.effectiveRole),
      proof: caller.proof,
    })),
    enrolOperator: unary(callDeadline, (request: wire.EnrolOperatorRequest, call) =>
      counted('enrolOperator', async () => {
        const role = messages.roleFromWire(request.role);
        const enrolment = await services.enrol(
          {
            csr: request.csr,
            name: request.name,
            ...(role ? { role } : {}),
            ...(request.credential ? { credential: new Secret(request.credential) } : {}),
          },
          credentialsOf(call),
        );
        return {
          certificateChain: [...enrolment.chain],
          trustBundle: services.currentBundle().pem,
          role: messages.roleToWire(enrolment.role),
        };
      }),
    ),
    getStatus: method('getStatus', async () => {
      const status = await services.status();
      return {
        ...status,
        findings: status.findings.map((finding) => ({ ...finding, severity: severities[finding.severity] })),
      };
    }),
    listCertificates: method('listCertificates', async (request: wire.ListCertificatesRequest) => {
      const page = await services.issuance.find(certificateQuery(request));
      return {
        certificates: page.items.map(messages.certificateToWire),
        nextPageToken: page.nextPageToken ?? '',
      };
    }),
    getCertificate: method('getCertificate', async ({ serial }: wire.GetCertificateRequest) => {
      if (!serialForm.test(serial))
        throw new CitadelError(
          'InvalidArgument',
          'the serial must be lower-case hexadecimal, without colons',
        );
      const record = await services.issuance.get(serial);
      if (!record) throw new CitadelError('NotFound', 'no certificate of this serial was issued here');
      return messages.certificateToWire(record);
    }),
    listAuthorities: method('listAuthorities', async () => ({
      authorities: (await services.authorities.list()).map((record) =>
        messages.authorityToWire(record, reKeyingOf(record)),
      ),
    })),
    taintAuthority: method('taintAuthority', async ({ id, reason }: wire.TaintAuthorityRequest, caller) => {
      const { record, waitsFor } = await services.taint({
        id: filter(id) ?? '',
        reason: messages.checkedReason(reason),
        by: caller.subject,
        proof: caller.proof,
      });
      return messages.authorityToWire(record, reKeyingOf(record, waitsFor));
    }),
    revokeCertificates: method('revokeCertificates', (request: wire.RevokeCertificatesRequest, caller) =>
      revokeCertificates(services, request, caller),
    ),
    revokeAuthority: method('revokeAuthority', (request: wire.RevokeAuthorityRequest, caller) =>
      revokeAuthority(services, request, caller),
    ),
    getRevocations: method('getRevocations', () => getRevocations(services)),
    getBundle: method('getBundle', async ({ trustDomain }: wire.GetBundleRequest) => {
      const bundle = services.currentBundle();
      if (trustDomain !== '' && trustDomain !== bundle.trustDomain)
        throw new CitadelError('NotFound', 'there is no bundle of this trust domain');
      return messages.bundleToWire(bundle);
    }),
    listProxies: method('listProxies', async () => ({
      proxies: messages.proxiesToWire(await services.adoption.list(), services.discovery()),
    })),
    listAuditEvents: method('listAuditEvents', async (request: wire.ListAuditEventsRequest) => {
      const page = await services.audit.find({
        limit: pageSize(request.pageSize),
        ...optional('action', filter(request.action)),
        ...optional('subject', filter(request.subject)),
        ...optional('after', request.after),
        ...optional('pageToken', filter(request.pageToken)),
      });
      return { events: page.items.map(messages.auditEventToWire), nextPageToken: page.nextPageToken ?? '' };
    }),
    getAuditLog: method('getAuditLog', () => getAuditLog(services)),
    listAuditEntries: method('listAuditEntries', (request: wire.ListAuditEntriesRequest) =>
      listAuditEntries(services, request),
    ),
    proveAuditEntry: method('proveAuditEntry', (request: wire.ProveAuditEntryRequest) =>
      proveAuditEntry(services, request),
    ),
    listPolicies: method('listPolicies', async (request: wire.ListPoliciesRequest) =>
      listPolicies(services, request),
    ),
    applyPolicies: method('applyPolicies', (request: wire.ApplyPoliciesRequest, caller) =>
      applyPolicies(services, request, caller),
    ),
    getDenial: method('getDenial', (request: wire.GetDenialRequest) => getDenial(services, request)),
    listDenials: method('listDenials', (request: wire.ListDenialsRequest) => listDenials(services, request)),
    getMutualTlsStatus: method('getMutualTlsStatus', async (request: wire.GetMutualTlsStatusRequest) =>
      getMutualTlsStatus(services, request),
    ),
    enforceMutualTls: method('enforceMutualTls', (request: wire.EnforceMutualTlsRequest, caller) =>
      enforceMutualTls(services, request, caller),
    ),
    revertMutualTls: method('revertMutualTls', (request: wire.RevertMutualTlsRequest, caller) =>
      revertMutualTls(services, request, caller),
    ),
    listEnforcements: method('listEnforcements', async (request: wire.ListEnforcementsRequest) =>
      listEnforcements(services, request),
    ),
    listPolicyRevisions: method('listPolicyRevisions', (request: wire.ListPolicyRevisionsRequest) =>
      listPolicyRevisions(services, request),
    ),
    getRotation: method('getRotation', (request: wire.GetRotationRequest) => getRotation(services, request)),
    planRotation: method('planRotation', (request: wire.PlanRotationRequest) =>
      planRotation(services, request),
    ),
    rehearseRotation: method('rehearseRotation', (request: wire.RehearseRotationRequest, caller) =>
      rehearseRotation(services, request, caller),
    ),
    startRotation: method('startRotation', (request: wire.StartRotationRequest, caller) =>
      startRotation(services, request, caller),
    ),
    continueRotation: method('continueRotation', (request: wire.ContinueRotationRequest, caller) =>
      continueRotation(services, request, caller),
    ),
    excuseProxy: method('excuseProxy', (request: wire.ExcuseProxyRequest, caller) =>
      excuseProxy(services, request, caller),
    ),
    abortRotation: method('abortRotation', (request: wire.AbortRotationRequest, caller) =>
      abortRotation(services, request, caller),
    ),
    createBackup: serverStream(streamDeadline, (request: wire.CreateBackupRequest, call) =>
      counted('createBackup', async () =>
        createBackup(services, request, await access.authorize('createBackup', credentialsOf(call))),
      ),
    ),
    getPolicyWorld: serverStream(streamDeadline, (_: wire.GetPolicyWorldRequest, call) =>
      counted('getPolicyWorld', async () => {
        await access.authorize('getPolicyWorld', credentialsOf(call));
        return getPolicyWorld(services);
      }),
    ),
    getDecisionRecords: serverStream(streamDeadline, (request: wire.GetDecisionRecordsRequest, call) =>
      counted('getDecisionRecords', async () => {
        await access.authorize('getDecisionRecords', credentialsOf(call));
        return getDecisionRecords(services, request);
      }),
    ),
    getStoredPolicies: serverStream(streamDeadline, (request: wire.GetStoredPoliciesRequest, call) =>
      counted('getStoredPolicies', async () => {
        await access.authorize('getStoredPolicies', credentialsOf(call));
        return getStoredPolicies(services, request);
      }),
    ),
    getPolicyShadow: method('getPolicyShadow', () => getPolicyShadow(services)),
    promotePolicyShadow: method('promotePolicyShadow', (request: wire.PromotePolicyShadowRequest, caller) =>
      promotePolicyShadow(services, request, caller),
    ),
    revertPolicyShadow: method('revertPolicyShadow', (request: wire.RevertPolicyShadowRequest, caller) =>
      revertPolicyShadow(services, request, caller),
    ),
    listOperators: method('listOperators', async () => ({
      operators: (await access.listOperators()).map(messages.operatorToWire),
    })),
    grantRole: method('grantRole', async (request: wire.GrantRoleRequest, caller) => {
      const role = messages.roleFromWire(request.role);
      if (!role) throw new CitadelError('InvalidArgument', 'the role must be viewer, author or operator');
      return messages.operatorToWire(await access.grant(caller, request.subject, role));
    }),
    revokeRole: method('revokeRole', async (request: wire.RevokeRoleRequest, caller) => {
      await access.revoke(caller, request.subject);
      return {};
    }),
  };
  return { definition: wire.OperatorServiceService, implementation };
}

function certificateQuery(request: wire.ListCertificatesRequest): IssuanceQuery {
  const state = states.find((known) => known === request.state);
  if (request.state !== '' && !state)
    throw new CitadelError('InvalidArgument', `the state must be one of ${states.join(', ')}`);
  return {
    limit: pageSize(request.pageSize),
    ...optional('spiffeId', request.spiffeId ? messages.checkedSpiffeId(request.spiffeId) : undefined),
    ...optional('issuer', filter(request.issuerFingerprint)),
    ...optional('state', state),
    ...optional('expiresBefore', request.expiresBefore),
    ...optional('expiresAfter', request.expiresAfter),
    ...optional('pageToken', filter(request.pageToken)),
  };
}

function pageSize(asked: number): number {
  if (asked < 0 || asked > maximumPageSize)
    throw new CitadelError('InvalidArgument', `the page size must be from 1 to ${maximumPageSize}`);
  return asked === 0 ? defaultPageSize : asked;
}

function filter(text: string): string | undefined {
  if (text.length > largestFilter) throw new CitadelError('InvalidArgument', 'a filter is too long');
  return text === '' ? undefined : text;
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // A computed key widens to string, which the compiler cannot undo.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
