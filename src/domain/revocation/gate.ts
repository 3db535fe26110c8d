import type { AuthorityRecord, LiveLeaf, ProxyReport } from '../ports/index.ts';
import type { RevocationEnforcement } from './enforcement.ts';

/** What is seen of the proxies that verify by CRLs. */
export interface CrlEvidence {
  readonly reports: readonly ProxyReport[];
  readonly leaves: readonly LiveLeaf[];
  /** The proxies that take bundles by discovery, and whether they have accepted what it has for them. */
  readonly discovery: readonly { readonly proxyKey: string; readonly accepted: boolean }[];
}

export interface CrlGateInput {
  readonly enforcement: RevocationEnforcement;
  readonly next: AuthorityRecord;
  /** Who signs now; undefined: nobody. */
  readonly present: AuthorityRecord | undefined;
  /** When the first CRL of `next` was signed; undefined: it has none. */
  readonly bornAt: Date | undefined;
  readonly evidence: CrlEvidence;
  /** Of leaves, milliseconds. */
  readonly longestLeaf: number;
  readonly now: Date;
}

/** How long somebody who is not seen may hold up the successor of a compromised authority. */
const longestWhenTainted = 60_000;
/** How long it may take until discovery has what is new. */
const discoveryDelay = 2_000;

/**
 * Whether an authority waits because it can sign no CRL at all: with its first leaf everybody would have to be given none, and
 * what was revoked would be good again. As long as another one can go on; a thief's is worse.
 * @param input.noCrls why it signs none; undefined: it does
 */
export function takesCrls({
  noCrls,
  present,
  now,
}: Pick<CrlGateInput, 'present' | 'now'> & { readonly noCrls: string | undefined }): boolean {
  return noCrls !== undefined && present !== undefined && present.notAfter > now && !present.tainted;
}

/**
 * Whether an authority may sign its first leaf: whoever verifies by CRLs has its own, or is waited for. The wait has an
 * end: who was not seen for the life of the longest leaf has none that is valid; and a thief is not given that long.
 * @returns who is waited for, by key; empty: nobody
 */
export function waitsForCrl(input: CrlGateInput): readonly string[] {
  const { enforcement, next, present, bornAt, evidence, now } = input;
  if (enforcement.kind !== 'enforced') return [];
  // Without it nothing at all is signed; one that has no CRL takes the CRLs from all.
  if (!present || present.notAfter <= now || !bornAt || !enforcement.issuers.has(next.fingerprint)) return [];
  const longest = present.tainted ? longestWhenTainted : input.longestLeaf;
  if (now.getTime() - bornAt.getTime() >= longest) return [];
  const live = new Set(evidence.leaves.map(({ proxyKey }) => proxyKey));
  const agents = evidence.reports.filter(verifiesByBundle).map(({ proxyKey, crlVersion }) => ({
    proxyKey,
    has: crlVersion === enforcement.set.version,
  }));
  const isNew = now.getTime() - bornAt.getTime() < discoveryDelay;
  const proxies = evidence.discovery.map(({ proxyKey, accepted }) => ({ proxyKey, has: accepted && !isNew }));
  const waited = [...agents, ...proxies].filter(({ has }) => !has).map(({ proxyKey }) => proxyKey);
  return [...new Set(waited)].filter((proxyKey) => live.has(proxyKey));
}

/** What the SPIFFE validator (ALL) is given has no CRLs in it. */
function verifiesByBundle({ consumers }: ProxyReport): boolean {
  return consumers.some(
    ({ kind, resources }) =>
      kind === 'envoy-sds' && resources.some((each) => each.kind === 'bundle' && each.name !== 'ALL'),
  );
}
