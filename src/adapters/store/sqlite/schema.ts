import type { DenialRecord } from '../../../domain/denials/index.ts';
import type { EnforcementRun, RunState } from '../../../domain/enforcement/index.ts';
import type { Account, PortEvidence } from '../../../domain/evidence/index.ts';
import type {
  AuditOutcome,
  AuthorityKind,
  AuthorityState,
  Consumer,
  ConsumerResource,
  DecisionRecord,
  HandshakeTally,
  IssuanceState,
  Role,
  RootRotation,
  RotationCanary,
  RotationPhase,
  RotationWord,
  TlsProgram,
} from '../../../domain/ports/index.ts';
import type { ShadowDifference } from '../../../domain/shadow/index.ts';
import type { KeyAlgorithm, RevocationReason } from '../../../pki/index.ts';
import { blob, check, index, integer, primaryKey, sql, sqliteTable, text, uniqueIndex } from './orm.ts';

// After a change here: scripts/gen-migrations. Times are milliseconds since 1970, so that they sort and compare.

/** As JSON holds it, all the way down: a Date as its ISO 8601 text. */
type Json<T> = T extends Date
  ? string
  : T extends readonly (infer E)[]
    ? readonly Json<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Json<T[K]> }
      : T;

/** As JSON holds it: a Date as its ISO 8601 text. */
type Stored<T> = { readonly [K in keyof T]: T[K] extends Date ? string : T[K] };
export type StoredConsumer = Omit<Stored<Consumer>, 'resources'> & {
  readonly resources: readonly Stored<ConsumerResource>[];
};

export type StoredCanary = Json<RotationCanary>;
export type StoredTally = Json<HandshakeTally>;
export type StoredAccount = Json<Account>;
export type StoredRun = Json<EnforcementRun>;
export type StoredDenial = Json<DenialRecord>;
export type StoredDifference = Json<ShadowDifference>;
/** Rows of an earlier schema tell of no refusals. */
export type StoredPort = Omit<Json<PortEvidence>, 'refused'> &
  Partial<Pick<Json<PortEvidence>, 'refused'>> & { readonly port: number };

export const issuance = sqliteTable(
  'issuance',
  {
    /** The order of recording; what pages are cut by. */
    sequence: integer().primaryKey(),
    serial: text().notNull().unique(),
    spiffeId: text('spiffe_id').notNull(),
    principal: text().notNull(),
    proxyKey: text('proxy_key').notNull(),
    issuer: text().notNull(),
    tbsDigest: text('tbs_digest').notNull(),
    bundleVersion: text('bundle_version').notNull(),
    notBefore: integer('not_before', { mode: 'timestamp_ms' }).notNull(),
    notAfter: integer('not_after', { mode: 'timestamp_ms' }).notNull(),
    recordedAt: integer('recorded_at', { mode: 'timestamp_ms' }).notNull(),
    state: text().$type<IssuanceState>().notNull().default('intended'),
    certificate: blob({ mode: 'buffer' }),
    reason: text(),
    /** Whether its holder has reported by it; null: it is older than this was noted. */
    reported: integer({ mode: 'boolean' }),
  },
  (table) => [
    index('issuance_by_spiffe_id').on(table.spiffeId),
    index('issuance_by_not_after').on(table.notAfter),
    // In the order that countLive groups by, and with all that it reads.
    index('issuance_live').on(table.issuer, table.bundleVersion, table.notAfter).where(sql`state = 'issued'`),
    index('issuance_unresolved').on(table.sequence).where(sql`state = 'intended'`),
    check('issuance_state', sql`state in ('intended', 'issued', 'failed', 'abandoned')`),
    check('issuance_certificate', sql`(state = 'issued') = (certificate is not null)`),
  ],
);

export const authority = sqliteTable('authority', {
  id: text().primaryKey(),
  kind: text().$type<AuthorityKind>().notNull(),
  state: text().$type<AuthorityState>().notNull(),
  tainted: integer({ mode: 'boolean' }).notNull(),
  keyBackend: text('key_backend').notNull(),
  keyId: text('key_id').notNull(),
  certificate: blob({ mode: 'buffer' }).notNull(),
  fingerprint: text().notNull(),
  rootFingerprint: text('root_fingerprint').notNull(),
  serverId: text('server_id'),
  notBefore: integer('not_before', { mode: 'timestamp_ms' }).notNull(),
  notAfter: integer('not_after', { mode: 'timestamp_ms' }).notNull(),
  createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull(),
});

/** The chain above an authority's own certificate, from its issuer (position 0) up to below the root. */
export const authorityIntermediate = sqliteTable(
  'authority_intermediate',
  {
    authorityId: text('authority_id')
      .notNull()
      .references(() => authority.id, { onDelete: 'cascade' }),
    position: integer().notNull(),
    certificate: blob({ mode: 'buffer' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.authorityId, table.position] })],
);

/** One row. */
export const bundleState = sqliteTable(
  'bundle_state',
  {
    id: integer().primaryKey(),
    sequence: integer().notNull(),
    contentVersion: text('content_version').notNull(),
  },
  () => [check('bundle_state_one_row', sql`id = 1`)],
);

/** What each content version of the bundle stands for; kept, so that what a proxy says to use can be read. */
export const bundleContent = sqliteTable('bundle_content', {
  contentVersion: text('content_version').primaryKey(),
  /** Fingerprints; always written and read as a whole. */
  roots: text({ mode: 'json' }).$type<readonly string[]>().notNull(),
});

export const rotation = sqliteTable(
  'rotation',
  {
    id: text().primaryKey(),
    phase: text().$type<RotationPhase>().notNull(),
    phaseSince: integer('phase_since', { mode: 'timestamp_ms' }).notNull(),
    oldRoot: text('old_root').notNull(),
    newRoot: text('new_root'),
    /** Always written and read as a whole. */
    given: text({ mode: 'json' }).$type<NonNullable<RootRotation['given']>>(),
    algorithm: text().$type<KeyAlgorithm>().notNull(),
    lifetime: integer().notNull(),
    startedAt: integer('started_at', { mode: 'timestamp_ms' }).notNull(),
    startedBy: text('started_by').notNull(),
    reason: text().notNull(),
    crossSign: integer('cross_sign', { mode: 'boolean' }).notNull().default(false),
    /** Always written and read as a whole. */
    words: text({ mode: 'json' }).$type<readonly Stored<RotationWord>[]>().notNull(),
    /** Always written and read as a whole. */
    canary: text({ mode: 'json' }).$type<StoredCanary>(),
  },
  (table) => [
    // The store itself holds that one alone is under way.
    uniqueIndex('rotation_under_way').on(sql`(1)`).where(sql`phase not in ('done', 'aborted')`),
    index('rotation_by_start').on(table.startedAt),
  ],
);

export const revokedCertificate = sqliteTable('revoked_certificate', {
  /** The order of revoking. */
  sequence: integer().primaryKey(),
  serial: text().notNull().unique(),
  spiffeId: text('spiffe_id').notNull(),
  issuer: text().notNull(),
  notAfter: integer('not_after', { mode: 'timestamp_ms' }).notNull(),
  revokedAt: integer('revoked_at', { mode: 'timestamp_ms' }).notNull(),
  revokedBy: text('revoked_by').notNull(),
  code: text().$type<RevocationReason>().notNull(),
  reason: text().notNull(),
});

export const revokedAuthority = sqliteTable('revoked_authority', {
  fingerprint: text().primaryKey(),
  notAfter: integer('not_after', { mode: 'timestamp_ms' }).notNull(),
  revokedAt: integer('revoked_at', { mode: 'timestamp_ms' }).notNull(),
  revokedBy: text('revoked_by').notNull(),
  code: text().$type<RevocationReason>().notNull(),
  reason: text().notNull(),
});

/** The newest CRL of each authority. */
export const crl = sqliteTable('crl', {
  issuer: text().primaryKey(),
  number: integer().notNull(),
  der: blob({ mode: 'buffer' }).notNull(),
  signedAt: integer('signed_at', { mode: 'timestamp_ms' }).notNull(),
});

export const audit = sqliteTable(
  'audit',
  {
    // A rowid: one more than the highest. Rows are never deleted and a refused insert takes none, so without gaps.
    sequence: integer().primaryKey(),
    at: integer({ mode: 'timestamp_ms' }).notNull(),
    action: text().notNull(),
    outcome: text().$type<AuditOutcome>().notNull(),
    subject: text().notNull(),
    proof: text().notNull(),
    target: text().notNull(),
    reason: text().notNull(),
    /** JSON, as it is hashed. */
    details: text().notNull(),
    /** The leaf of the hash tree, and the subtrees that end with it. Null: not yet in the tree. */
    hashes: blob({ mode: 'buffer' }),
  },
  (table) => [
    index('audit_by_action').on(table.action),
    index('audit_by_subject').on(table.subject),
    index('audit_by_time').on(table.at),
  ],
);

/** What each proxy's agent said last. */
export const proxyReport = sqliteTable(
  'proxy_report',
  {
    proxyKey: text('proxy_key').primaryKey(),
    spiffeId: text('spiffe_id').notNull(),
    svidSerial: text('svid_serial').notNull(),
    principal: text().notNull(),
    agentVersion: text('agent_version').notNull(),
    agentBundleVersion: text('agent_bundle_version').notNull(),
    /** Always written and read as a whole. */
    agentProgram: text('agent_program', { mode: 'json' }).$type<TlsProgram>(),
    connected: integer({ mode: 'boolean' }).notNull(),
    /** Null: it has told of none. */
    crlVersion: text('crl_version'),
    lastSeenAt: integer('last_seen_at', { mode: 'timestamp_ms' }).notNull(),
    /** Always written and read as a whole. */
    consumers: text({ mode: 'json' }).$type<readonly StoredConsumer[]>().notNull(),
    /** Always written and read as a whole. */
    handshakes: text({ mode: 'json' }).$type<StoredTally>(),
  },
  (table) => [index('proxy_report_by_last_seen').on(table.lastSeenAt)],
);

/** What each workload's proxy has told of its callers, and how far that is complete. */
export const callerEvidence = sqliteTable(
  'caller_evidence',
  {
    workload: text().primaryKey(),
    updatedAt: integer('updated_at', { mode: 'timestamp_ms' }).notNull(),
    /** Always written and read as a whole, as are the ports. */
    account: text({ mode: 'json' }).$type<StoredAccount>().notNull(),
    ports: text({ mode: 'json' }).$type<readonly StoredPort[]>().notNull(),
  },
  (table) => [index('caller_evidence_by_time').on(table.updatedAt)],
);

/** Orders to make workloads strict. */
export const enforcementRun = sqliteTable(
  'enforcement_run',
  {
    id: text().primaryKey(),
    state: text().$type<RunState>().notNull(),
    startedAt: integer('started_at', { mode: 'timestamp_ms' }).notNull(),
    updatedAt: integer('updated_at', { mode: 'timestamp_ms' }).notNull(),
    /** Always written and read as a whole. */
    run: text({ mode: 'json' }).$type<StoredRun>().notNull(),
  },
  (table) => [index('enforcement_run_by_start').on(table.startedAt, table.id)],
);

export const operator = sqliteTable('operator', {
  subject: text().primaryKey(),
  role: text().$type<Role>().notNull(),
  grantedAt: integer('granted_at', { mode: 'timestamp_ms' }).notNull(),
  grantedBy: text('granted_by').notNull(),
});

export const oneTimeCredential = sqliteTable('one_time_credential', {
  digest: text().primaryKey(),
  role: text().$type<Role>().notNull(),
  expiresAt: integer('expires_at', { mode: 'timestamp_ms' }).notNull(),
});

/** Every change of the policies that are kept here; rows are never changed or deleted. */
export const policyRevision = sqliteTable('policy_revision', {
  // One more than the highest: without gaps.
  revision: integer().primaryKey(),
  at: integer({ mode: 'timestamp_ms' }).notNull(),
  by: text().notNull(),
  reason: text().notNull(),
});

/** What a change made of each object that it touched; an object's newest version is what holds. */
export const policyVersion = sqliteTable(
  'policy_version',
  {
    revision: integer()
      .notNull()
      .references(() => policyRevision.revision),
    kind: text().notNull(),
    namespace: text().notNull(),
    name: text().notNull(),
    /** Null: taken away. */
    text: text(),
    hash: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.kind, table.namespace, table.name, table.revision] }),
    index('policy_version_by_revision').on(table.revision),
  ],
);

/** The change that is tried beside what holds: one row, or none. */
export const policyCandidate = sqliteTable(
  'policy_candidate',
  {
    slot: integer().primaryKey(),
    id: text().notNull(),
    at: integer({ mode: 'timestamp_ms' }).notNull(),
    by: text().notNull(),
    reason: text().notNull(),
    base: integer().notNull(),
  },
  () => [check('policy_candidate_one_row', sql`slot = 1`)],
);

/** What it would make of each object that it touches. */
export const policyCandidateObject = sqliteTable(
  'policy_candidate_object',
  {
    kind: text().notNull(),
    namespace: text().notNull(),
    name: text().notNull(),
    /** Null: taken away. */
    text: text(),
    hash: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.namespace, table.name] })],
);

/** What was counted of the candidate at each workload. */
export const shadowTally = sqliteTable('shadow_tally', {
  workload: text().primaryKey(),
  trial: text().notNull(),
  each: integer().notNull(),
  sampled: integer().notNull(),
  different: integer().notNull(),
  unknown: integer().notNull(),
  last: integer({ mode: 'timestamp_ms' }).notNull(),
  /** Always written and read as a whole; how many there are stands beside it. */
  differences: text({ mode: 'json' }).$type<readonly StoredDifference[]>().notNull(),
  kinds: integer().notNull(),
  more: integer().notNull(),
  earlier: integer().notNull(),
});

/** Who counts, or has counted, calls for the candidate. */
export const shadowWatch = sqliteTable('shadow_watch', {
  id: text().primaryKey(),
  since: integer({ mode: 'timestamp_ms' }).notNull(),
  until: integer({ mode: 'timestamp_ms' }).notNull(),
  closed: integer({ mode: 'boolean' }).notNull(),
});

/** One row, written to learn whether a write would succeed. */
export const probe = sqliteTable(
  'probe',
  {
    id: integer().primaryKey(),
    writtenAt: integer('written_at', { mode: 'timestamp_ms' }).notNull(),
  },
  () => [check('probe_one_row', sql`id = 1`)],
);

/** Each time that proxies were told to end what is open. */
export const drain = sqliteTable('drain', {
  generation: integer().primaryKey({ autoIncrement: true }),
  cause: text().notNull().unique(),
  at: integer({ mode: 'timestamp_ms' }).notNull(),
});

/** Times at which the store was set back: until when what was issued meanwhile may be valid. */
export const unrecorded = sqliteTable('unrecorded', {
  until: integer({ mode: 'timestamp_ms' }).primaryKey(),
});

/** Calls as the callees' proxies told of them, alike ones of a period together. */
export const decisionRecord = sqliteTable(
  'decision_record',
  {
    /** The order of their first saving; what pages are cut by. */
    sequence: integer().primaryKey({ autoIncrement: true }),
    /** SHA-256 of all that makes it one with another. */
    identity: text().notNull().unique(),
    workload: text().notNull(),
    serviceAccount: text('service_account'),
    /** Always written and read as a whole. */
    labels: text({ mode: 'json' }).$type<DecisionRecord['labels']>().notNull(),
    port: integer().notNull(),
    transport: text().$type<DecisionRecord['transport']>().notNull(),
    caller: text(),
    /** Always written and read as a whole. */
    addresses: text({ mode: 'json' }).$type<readonly string[]>().notNull(),
    method: text(),
    path: text(),
    host: text(),
    serverName: text('server_name'),
    decision: text().$type<DecisionRecord['decision']>().notNull(),
    refusedBy: text('refused_by').$type<NonNullable<DecisionRecord['refusedBy']>>(),
    policy: text(),
    rule: integer(),
    /** Hash of the rules by which it was decided; null where that is not known. */
    rules: text(),
    sampled: integer({ mode: 'boolean' }).notNull(),
    /** Always written and read as a whole. */
    lacks: text({ mode: 'json' }).$type<DecisionRecord['lacks']>().notNull(),
    period: integer({ mode: 'timestamp_ms' }).notNull(),
    first: integer({ mode: 'timestamp_ms' }).notNull(),
    last: integer({ mode: 'timestamp_ms' }).notNull(),
    count: integer().notNull(),
  },
  (table) => [
    index('decision_record_by_workload').on(table.workload, table.sequence),
    index('decision_record_by_period').on(table.period, table.sequence),
    index('decision_record_by_time').on(table.last),
  ],
);

/** Denials by their names, for a day. */
export const denial = sqliteTable(
  'denial',
  {
    /** The order of their saving; what pages are cut by. */
    sequence: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull().unique(),
    told: integer({ mode: 'timestamp_ms' }).notNull(),
    workload: text().notNull(),
    /** `<namespace>/<name>` of the workload, and of its service account. */
    callee: text().notNull(),
    account: text(),
    proved: integer({ mode: 'boolean' }).notNull(),
    /** By its certificate, or else its address. */
    caller: text().notNull(),
    address: text().notNull(),
    /** Always written and read as a whole. */
    record: text({ mode: 'json' }).$type<StoredDenial>().notNull(),
  },
  (table) => [
    index('denial_by_caller').on(table.proved, table.workload, table.caller, table.sequence),
    index('denial_by_workload').on(table.proved, table.workload, table.sequence),
    index('denial_by_time').on(table.told),
  ],
);

/** One row: what of them was forgotten for want of room. */
export const forgottenDecisions = sqliteTable(
  'forgotten_decisions',
  {
    id: integer().primaryKey(),
    calls: integer().notNull(),
    until: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  () => [check('forgotten_decisions_one_row', sql`id = 1`)],
);
