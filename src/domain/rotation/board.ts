import { compareText } from '../../kernel/index.ts';
import { adviceFor, nextStep, reasonsToWait } from './advice.ts';
import { latest } from './plan.ts';
import type { RotationStatus } from './service.ts';
import type { ProxyStanding, Standing } from './standing.ts';

/** Which proxies are to be listed; counts are of all, whatever is asked for. */
export interface BoardQuery {
  /** Part of a SPIFFE ID, of a proxy's key, or of what its certificate was issued to; empty: all. */
  readonly filter: string;
  readonly standing: Standing | undefined;
  /** Longest list. */
  readonly limit: number;
}

export interface BoardLine extends ProxyStanding {
  /** Whether the phase waits for it. */
  readonly waited: boolean;
  /** Whether it can show no more than that it was given the bundle: it needs the operator's word. */
  readonly unproven: boolean;
  /** The content version of the bundle that it has, as far as is known; empty: unknown. */
  readonly bundleVersion: string;
  /** Why it refused the bundle; empty: it did not. */
  readonly nackError: string;
  /** When its newest certificate ends: by then it has renewed, or is gone. */
  readonly renewsBy: Date;
  /** For the operator; empty where nothing is to be done. */
  readonly whatToDo: string;
}

/** What an operator sees of a rotation. */
export interface RotationBoard {
  readonly live: number;
  readonly counts: Readonly<Record<Standing, number>>;
  readonly stragglers: number;
  readonly unproven: number;
  /** Proxies that the query asks for, listed or not. */
  readonly matching: number;
  /** The ones that are waited for first, the worst of them first. */
  readonly lines: readonly BoardLine[];
  /** When the last certificate of whoever is waited for ends; undefined: nobody is waited for. */
  readonly lastRenewal: Date | undefined;
  /** What comes next, and by whom; empty: nothing. */
  readonly next: string;
  /** Why not yet; empty: nothing is missing. */
  readonly whyNot: readonly string[];
}

export const standings: readonly Standing[] = [
  'inUse',
  'accepted',
  'handedOut',
  'sent',
  'refused',
  'behind',
  'away',
];

/** Makes the board of what is known. Pure. */
export function boardOf(status: RotationStatus, query: BoardQuery): RotationBoard {
  const { rotation, gate } = status;
  const all = gate?.standings ?? [];
  const stragglers = new Set(gate?.stragglers);
  const unproven = new Set(gate?.unproven);
  const rank = (each: ProxyStanding) =>
    (stragglers.has(each) ? 0 : unproven.has(each) ? 100 : 200) - standings.indexOf(each.standing);
  const found = all.filter((each) => isAskedFor(each, query));
  const ends = [...stragglers, ...unproven].map(({ proxy }) => proxy.leaf.notAfter.getTime());
  const phase = rotation?.phase;
  return {
    live: all.length,
    counts: count(all),
    stragglers: stragglers.size,
    unproven: unproven.size,
    matching: found.length,
    lines: found
      .toSorted((a, b) => rank(a) - rank(b) || compareText(a.proxy.proxyKey, b.proxy.proxyKey))
      .slice(0, query.limit)
      .map((each) => {
        const waited = stragglers.has(each) || unproven.has(each);
        return {
          ...each,
          waited,
          unproven: unproven.has(each),
          bundleVersion: versionOf(each),
          nackError: nackOf(each),
          renewsBy: each.proxy.leaf.notAfter,
          whatToDo: waited && phase ? adviceFor(each, phase) : '',
        };
      }),
    lastRenewal: ends.length === 0 ? undefined : new Date(latest(0, ends)),
    next: nextStep(status),
    whyNot: reasonsToWait(status),
  };
}

function count(all: readonly ProxyStanding[]): Record<Standing, number> {
  const counts = { inUse: 0, accepted: 0, handedOut: 0, sent: 0, refused: 0, behind: 0, away: 0 };
  for (const { standing } of all) counts[standing] += 1;
  return counts;
}

function isAskedFor({ proxy, standing }: ProxyStanding, query: BoardQuery): boolean {
  if (query.standing !== undefined && query.standing !== standing) return false;
  const { spiffeId, proxyKey, leaf } = proxy;
  return (
    query.filter === '' || [spiffeId, proxyKey, leaf.principal].some((text) => text.includes(query.filter))
  );
}

function bundlesOf({ proxy }: ProxyStanding) {
  return (proxy.report?.consumers ?? [])
    .flatMap(({ resources }) => resources)
    .filter(({ kind }) => kind === 'bundle');
}

function nackOf(standing: ProxyStanding): string {
  return bundlesOf(standing).find(({ nackError }) => nackError !== undefined)?.nackError ?? '';
}

/** Of what it uses rather than of what it was sent. */
function versionOf(standing: ProxyStanding): string {
  const { report, leaf } = standing.proxy;
  const own = report?.agentBundleVersion;
  const used = bundlesOf(standing).map(({ inUse, accepted }) => inUse ?? accepted ?? '');
  return used.find((version) => version !== own) ?? own ?? leaf.bundleVersion;
}
