import type { AuthorityRecord, ProxyReport, RevokedAuthority, RevokedCertificate } from '../ports/index.ts';
import type { RevocationEnforcement } from '../revocation/index.ts';
import { type LiveProxy, leafStanding } from '../rotation/index.ts';

/**
 * Why connections are to end that were accepted before: the peer's certificate counts no more, and an open connection is
 * not looked at again.
 */
export interface DrainCause {
  readonly name: string;
  readonly reason: string;
}

/** What is open to a drain that was not yet ordered, without a look at who is ready. */
export interface PendingDrains {
  readonly tainted: readonly AuthorityRecord[];
  /** By the moment of the order that took them back, ISO 8601. */
  readonly revoked: ReadonlyMap<string, Date>;
}

/** How long the slowest verifier is waited for. Whoever has no CRL by then is without one for other reasons. */
const crlGrace = 30_000;
/** How long an agent may go on with its old key: a compromised one must not keep what is open from ending. */
const reKeyGrace = 600_000;

export function pendingDrains(
  known: ReadonlySet<string>,
  authorities: readonly AuthorityRecord[],
  revoked: {
    readonly certificates: readonly RevokedCertificate[];
    readonly authorities: readonly RevokedAuthority[];
  },
  now: Date,
): PendingDrains {
  const orders = [...revoked.certificates, ...revoked.authorities]
    .filter(({ notAfter }) => notAfter > now)
    .map(({ revokedAt }) => [revokedAt.toISOString(), revokedAt] as const);
  return {
    tainted: authorities.filter(
      ({ kind, tainted, fingerprint, notAfter }) =>
        kind === 'issuing' && tainted && notAfter > now && !known.has(taintCause(fingerprint, 'all')),
    ),
    revoked: new Map(orders.filter(([at]) => !known.has(revocationCause(at)))),
  };
}

export interface DrainEvidence {
  readonly known: ReadonlySet<string>;
  readonly proxies: readonly LiveProxy[];
  readonly enforcement: RevocationEnforcement;
  /** Content version of the present bundle. */
  readonly bundleVersion: string;
  /** When each tainted authority was first seen to be so, by fingerprint. */
  readonly taintSeen: ReadonlyMap<string, Date>;
  readonly now: Date;
}

/**
 * What is drained now. Whoever was drained comes back with the certificate that it has then, and stays: so a taint's drain
 * waits until proxies have left the authority, and a revocation's until verifiers have the CRL, or the bundle without a
 * revoked root. Clients that do not report
 * may come to their next certificate much later, and are drained once more then.
 */
export function dueDrains(
  { tainted, revoked }: PendingDrains,
  { known, proxies, taintSeen, now, ...trust }: DrainEvidence,
): readonly DrainCause[] {
  return [
    ...tainted.flatMap(({ id, fingerprint }): DrainCause[] => {
      const behind = proxies.filter(
        (proxy) => leafStanding(proxy, (issuer) => issuer === fingerprint).standing === 'behind',
      );
      if (behind.length === 0)
        return [
          { name: taintCause(fingerprint, 'all'), reason: `nobody uses a certificate of ${id} any more` },
        ];
      const name = taintCause(fingerprint, 'reporting');
      if (known.has(name)) return [];
      if (!behind.some(({ report }) => report?.connected))
        return [{ name, reason: `no connected agent uses a certificate of ${id} any more` }];
      const waited = now.getTime() - (taintSeen.get(fingerprint) ?? now).getTime() >= reKeyGrace;
      return waited
        ? [{ name, reason: `some agents still use a certificate of ${id}: waited long enough` }]
        : [];
    }),
    ...[...revoked].flatMap(([at, since]): DrainCause[] => {
      const waited = now.getTime() - since.getTime() >= crlGrace;
      if (!waited && proxies.some(({ report }) => report && isWithout(report, trust))) return [];
      return [{ name: revocationCause(at), reason: `what was revoked at ${at} is refused by now` }];
    }),
  ];
}

/** Whether a proxy may still take a revoked certificate for a good one, and will soon not. */
function isWithout(
  { connected, crlVersion, agentBundleVersion }: ProxyReport,
  { enforcement, bundleVersion }: Pick<DrainEvidence, 'enforcement' | 'bundleVersion'>,
): boolean {
  if (!connected) return false;
  if (agentBundleVersion !== bundleVersion || enforcement.kind === 'impossible') return true;
  return enforcement.kind === 'enforced' && crlVersion !== enforcement.set.version;
}

function taintCause(fingerprint: string, who: 'reporting' | 'all'): string {
  return `taint/${fingerprint}/${who}`;
}

function revocationCause(at: string): string {
  return `revocation/${at}`;
}
