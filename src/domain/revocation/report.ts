import type { AuthorityRecord, LiveLeaf, ProxyReport } from '../ports/index.ts';
import type { RevocationStatus } from './service.ts';

/** A proxy, or another client, that takes revoked certificates. */
export interface UnenforcedAt {
  readonly proxyKey: string;
  readonly spiffeId: string;
  readonly why: string;
}

/** Where revocation stands, for operators. */
export interface RevocationReport {
  readonly status: RevocationStatus;
  /** Of authorities, by fingerprint. */
  readonly issuerIds: ReadonlyMap<string, string>;
  readonly unenforced: readonly UnenforcedAt[];
  /** What of it is not enforced, each a sentence. */
  readonly sentences: readonly string[];
}

export interface ReportParts {
  readonly status: RevocationStatus;
  readonly authorities: readonly AuthorityRecord[];
  readonly reports: readonly ProxyReport[];
  readonly leaves: readonly LiveLeaf[];
}

export function reportRevocation({ status, authorities, reports, leaves }: ReportParts): RevocationReport {
  const { enforcement, unlisted } = status;
  const unenforced =
    enforcement.kind === 'enforced' ? notEnforcing(enforcement.set.version, reports, leaves) : [];
  const sentences =
    enforcement.kind === 'impossible'
      ? enforcement.reasons.map((reason) => `no proxy refuses revoked certificates: ${reason}`)
      : [];
  if (unlisted.length > 0)
    sentences.push(
      `${unlisted.length} revoked certificates are on no CRL, for the key of their issuer is away or lost: citadel authority taint, then citadel authority revoke, refuses all that it issued`,
    );
  if (unenforced.length > 0)
    sentences.push(
      `not enforced at ${unenforced.length} clients: citadel certificate revocations names them`,
    );
  return {
    status,
    issuerIds: new Map(authorities.map(({ fingerprint, id }) => [fingerprint, id])),
    unenforced,
    sentences,
  };
}

/** Everybody who has a valid certificate and is not seen to have accepted these CRLs. */
function notEnforcing(
  crlVersion: string,
  reports: readonly ProxyReport[],
  leaves: readonly LiveLeaf[],
): readonly UnenforcedAt[] {
  const byKey = new Map(reports.map((report) => [report.proxyKey, report]));
  const proxies = new Map(
    leaves
      .filter(({ principal }) => !/^(?:server|operator):/.test(principal))
      .map(({ proxyKey, spiffeId }) => [proxyKey, spiffeId]),
  );
  return [...proxies].flatMap(([proxyKey, spiffeId]) => {
    const why = whyNot(byKey.get(proxyKey), crlVersion);
    return why === undefined ? [] : [{ proxyKey, spiffeId, why }];
  });
}

function whyNot(report: ProxyReport | undefined, crlVersion: string): string | undefined {
  if (!report) return 'it does not report: whatever it verifies by, it has no CRL from here';
  const envoys = report.consumers.filter(({ kind }) => kind === 'envoy-sds');
  if (envoys.some(({ resources }) => resources.some(({ name }) => name === 'ALL')))
    return 'a listener verifies by the SPIFFE validator (ALL), which knows no CRL';
  if (report.consumers.some(({ kind }) => kind !== 'envoy-sds'))
    return 'a client takes its bundle by the Workload API or from files, without CRLs';
  if (envoys.length === 0) return 'no Envoy is connected to its agent';
  if (report.crlVersion === crlVersion) return undefined;
  return report.connected ? 'it has not accepted the newest CRLs yet' : 'it is not connected';
}
