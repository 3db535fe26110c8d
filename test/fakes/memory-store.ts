import type { EnforcementRun } from '../../src/domain/enforcement/index.ts';
import type {
  AdoptionStore,
  AuthorityRecord,
  AuthorityStore,
  EnforcementStore,
  EvidenceStore,
  IssuanceIntent,
  IssuanceQuery,
  IssuanceRecord,
  IssuanceStore,
  LiveLeaf,
  LiveLeafCount,
  OneTimeCredential,
  OperatorRecord,
  OperatorStore,
  ProxyReport,
  Store,
  StoredEvidence,
} from '../../src/domain/ports/index.ts';
import { CitadelError } from '../../src/kernel/index.ts';
import { memoryAudit } from './memory-audit.ts';
import { memoryDecisionRecords } from './memory-decision-records.ts';
import { memoryDenials } from './memory-denials.ts';
import { memoryDrains } from './memory-drains.ts';
import { memoryPolicies } from './memory-policies.ts';
import { memoryRevocations } from './memory-revocations.ts';
import { memoryRotations } from './memory-rotations.ts';
import { memoryShadows } from './memory-shadows.ts';
import { checkLimit, page } from './pages.ts';

/** A Store that forgets everything with the process. It passes the same contract suite as the durable ones. */
export function memoryStore(): Store {
  let open = true;
  /** Serials by which agents have reported. */
  const reported = new Set<string>();
  const policies = memoryPolicies();
  const opened = () => {
    if (!open) throw new CitadelError('Unavailable', 'the store is closed');
  };
  return {
    issuance: guarded(memoryIssuance(reported), opened),
    authorities: guarded(memoryAuthorities(), opened),
    audit: guarded(memoryAudit(), opened),
    adoption: guarded(memoryAdoption(reported), opened),
    decisions: guarded(memoryDecisionRecords(), opened),
    denials: guarded(memoryDenials(), opened),
    drains: guarded(memoryDrains(), opened),
    enforcement: guarded(memoryEnforcement(), opened),
    evidence: guarded(memoryEvidence(), opened),
    operators: guarded(memoryOperators(), opened),
    policies: guarded(policies, opened),
    revocations: guarded(memoryRevocations(), opened),
    rotations: guarded(memoryRotations(), opened),
    shadows: guarded(memoryShadows(policies), opened),
    check: async () => opened(),
    close: async () => {
      open = false;
    },
  };
}

/** Calls `check` before each method. */
function guarded<T extends object>(target: T, check: () => void): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const method: unknown = Reflect.get(object, name, receiver);
      if (typeof method !== 'function') return method;
      return async (...values: unknown[]): Promise<unknown> => {
        check();
        return Reflect.apply(method, object, values);
      };
    },
  });
}

function memoryIssuance(reported: ReadonlySet<string>): IssuanceStore {
  const records = new Map<string, IssuanceRecord>();
  let recorded = 0;
  let unrecorded: Date | undefined;
  const sequences = new Map<string, number>();
  const leavesThat = (wanted: IssuanceRecord['state'], now: Date): LiveLeaf[] =>
    [...records.values()]
      .filter(({ state, notAfter }) => state === wanted && notAfter >= now)
      .reverse()
      .map(({ serial, spiffeId, principal, proxyKey, issuer, bundleVersion, notAfter, recordedAt }) => ({
        serial,
        spiffeId,
        principal,
        proxyKey,
        issuer,
        bundleVersion,
        notAfter,
        recordedAt,
        reported: reported.has(serial),
      }));
  return {
    async recordIntent(intent) {
      if (records.has(intent.serial))
        throw new CitadelError('AlreadyExists', 'the serial number was recorded before');
      records.set(intent.serial, { ...intent, state: 'intended' });
      recorded += 1;
      sequences.set(intent.serial, recorded);
    },
    async recordResult(result) {
      const record = records.get(result.serial);
      if (record?.state !== 'intended')
        throw new CitadelError('FailedPrecondition', 'no issuance of that serial number waits for a result');
      records.set(result.serial, { ...record, ...result });
    },
    get: async (serial) => records.get(serial),
    async find(query) {
      const { limit, pageToken, ...filters } = query;
      const rows = [...records.values()].filter((record) => matches(record, query)).reverse();
      return page(rows, (record) => sequences.get(record.serial) ?? 0, limit, pageToken, {
        of: 'issuance',
        ...filters,
      });
    },
    async findUnresolved(before, limit) {
      checkLimit(limit);
      return [...records.values()]
        .filter(({ state, recordedAt }) => state === 'intended' && recordedAt < before)
        .slice(0, limit)
        .map(({ state: _state, ...intent }): IssuanceIntent => intent);
    },
    async countLive(now) {
      const counts = new Map<string, LiveLeafCount>();
      for (const { state, notAfter, issuer, bundleVersion } of records.values()) {
        if (state !== 'issued' || notAfter < now) continue;
        const key = `${issuer} ${bundleVersion}`;
        const { count, lastNotAfter } = counts.get(key) ?? { count: 0, lastNotAfter: notAfter };
        const last = notAfter > lastNotAfter ? notAfter : lastNotAfter;
        counts.set(key, { issuer, bundleVersion, count: count + 1, lastNotAfter: last });
      }
      return [...counts].sort(byKey).map(([, count]) => count);
    },
    liveLeaves: async (now) => leavesThat('issued', now),
    async noteUnrecorded(until) {
      if (unrecorded === undefined || until > unrecorded) unrecorded = until;
    },
    unrecordedUntil: async () => unrecorded,
    pendingLeaves: async (now) => leavesThat('intended', now),
    async prune(before) {
      const ended = [...records.values()].filter(({ notAfter }) => notAfter < before);
      for (const { serial } of ended) records.delete(serial);
      return ended.length;
    },
  };
}

function matches(record: IssuanceRecord, query: IssuanceQuery): boolean {
  const { spiffeId, issuer, state, expiresBefore, expiresAfter } = query;
  return (
    (spiffeId === undefined || record.spiffeId === spiffeId) &&
    (issuer === undefined || record.issuer === issuer) &&
    (state === undefined || record.state === state) &&
    (expiresBefore === undefined || record.notAfter < expiresBefore) &&
    (expiresAfter === undefined || record.notAfter > expiresAfter)
  );
}

function memoryAuthorities(): AuthorityStore {
  const records = new Map<string, AuthorityRecord>();
  let sequence = 0n;
  let content: string | undefined;
  const contents = new Map<string, readonly string[]>();
  return {
    list: async () =>
      [...records.values()].sort(
        (a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1),
      ),
    async save(...changed) {
      for (const record of changed) records.set(record.id, record);
    },
    bundleSequence: async () => sequence,
    bundleContents: async () => new Map(contents),
    async noteBundleContent(contentVersion, roots, staged) {
      const noted = [{ contentVersion, roots }, ...(staged ? [staged] : [])];
      for (const each of noted)
        if (!contents.has(each.contentVersion)) contents.set(each.contentVersion, each.roots.toSorted());
      const inForce = noted.map((each) => each.contentVersion).join(' ');
      if (content !== inForce) sequence += 1n;
      content = inForce;
      return sequence;
    },
  };
}

function memoryAdoption(reported: Set<string>): AdoptionStore {
  const reports = new Map<string, ProxyReport>();
  return {
    async record(report) {
      reported.add(report.svidSerial);
      const handshakes = reports.get(report.proxyKey)?.handshakes;
      reports.set(report.proxyKey, { ...report, ...(handshakes ? { handshakes } : {}) });
    },
    handshakes: async (proxyKey) => reports.get(proxyKey)?.handshakes,
    async recordHandshakes(proxyKey, handshakes) {
      const report = reports.get(proxyKey);
      if (report) reports.set(proxyKey, { ...report, handshakes });
    },
    async markDisconnected(proxyKey, at) {
      const report = reports.get(proxyKey);
      if (report) reports.set(proxyKey, { ...report, connected: false, lastSeenAt: at });
    },
    async markAllDisconnected() {
      for (const [key, report] of reports) reports.set(key, { ...report, connected: false });
    },
    list: async () => [...reports].sort(byKey).map(([, report]) => report),
    async prune(before) {
      const forgotten = [...reports.values()].filter(({ lastSeenAt }) => lastSeenAt < before);
      for (const { proxyKey } of forgotten) reports.delete(proxyKey);
      return forgotten.length;
    },
  };
}

function memoryEvidence(): EvidenceStore {
  const rows = new Map<string, StoredEvidence>();
  return {
    async save(evidence) {
      for (const row of evidence) rows.set(row.workload, structuredClone(row));
    },
    list: async () => [...rows].sort(byKey).map(([, row]) => row),
    async remove(workloads) {
      for (const workload of workloads) rows.delete(workload);
    },
  };
}

function memoryEnforcement(): EnforcementStore {
  const runs = new Map<string, EnforcementRun>();
  return {
    async save(changed) {
      for (const run of changed) runs.set(run.id, structuredClone(run));
    },
    list: async () =>
      [...runs.values()].toSorted(
        (a, b) => a.startedAt.getTime() - b.startedAt.getTime() || (a.id < b.id ? -1 : 1),
      ),
    async prune(before) {
      const over = [...runs.values()].filter(
        ({ state, updatedAt }) => (state === 'superseded' || state === 'reverted') && updatedAt < before,
      );
      for (const { id } of over) runs.delete(id);
      return over.length;
    },
  };
}

function memoryOperators(): OperatorStore {
  const operators = new Map<string, OperatorRecord>();
  const credentials = new Map<string, OneTimeCredential>();
  return {
    get: async (subject) => operators.get(subject),
    list: async () => [...operators].sort(byKey).map(([, record]) => record),
    async grant(record) {
      operators.set(record.subject, record);
    },
    revoke: async (subject) => operators.delete(subject),
    async addCredential(credential) {
      if (credentials.has(credential.digest))
        throw new CitadelError('AlreadyExists', 'the credential was added before');
      credentials.set(credential.digest, credential);
    },
    async takeCredential(digest, now) {
      const credential = credentials.get(digest);
      if (!credential || credential.expiresAt <= now) return undefined;
      credentials.delete(digest);
      return credential;
    },
  };
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}
