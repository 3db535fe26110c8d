import { CitadelError } from '../../kernel/index.ts';
import type { HandshakeTally, RootRotation, RotationCanary, WatchedProxy } from '../ports/index.ts';
import type { BundleChoice } from '../trust/index.ts';
import type { RotationEvidence } from './gate.ts';
import { choiceOf, mostSelectors, parseSelector, shareUpTo } from './selector.ts';
import { bundleStanding, type LiveProxy, type ProxyStanding } from './standing.ts';

/** What an operator says of the first step of a rotation. */
export interface CanaryOrder {
  /** See parseSelector; who is meant by one of them is chosen. */
  readonly selectors: readonly string[];
  /** Milliseconds; undefined: ten minutes. */
  readonly watch?: number;
  readonly allowedFailures?: number;
  readonly auto?: boolean;
}

const defaultWatch = 600_000;
/** Agents tell what their Envoys count every few seconds, and it is written down twice a minute at the least. */
const freshFor = 90_000;

/**
 * Who is chosen, of those who are there and report: whoever cannot report could not be watched, and is never chosen.
 * @throws CitadelError InvalidArgument for a selector that is none, or that means nobody
 */
export function planCanary(
  rotationId: string,
  order: CanaryOrder,
  { proxies }: Pick<RotationEvidence, 'proxies'>,
): RotationCanary {
  const selectors = [...new Set(order.selectors)];
  if (selectors.length > mostSelectors)
    throw new CitadelError('InvalidArgument', `a canary may have ${mostSelectors} selectors at most`);
  const parsed = selectors.map((text) => ({ text, selector: parseSelector(text) }));
  const shares = parsed.flatMap(({ selector }) => (selector.kind === 'share' ? [selector.percent] : []));
  if (shares.length > 1) throw new CitadelError('InvalidArgument', 'a canary may have one share at most');
  const reporting = proxies.filter(({ report }) => report !== undefined);
  const [percent] = shares;
  const keys = reporting.map(({ proxyKey }) => proxyKey);
  const upTo = percent === undefined ? undefined : shareUpTo(percent, keys, rotationId);
  for (const { text } of parsed) {
    const isMeant = choiceOf(rotationId, { selectors: [text], upTo });
    if (reporting.some(isMeant)) continue;
    const silent = proxies.filter(isMeant).length;
    const why =
      silent > 0 ? `: of the ${silent} that it means none reports, so that none could be watched` : '';
    throw new CitadelError(
      'InvalidArgument',
      `the canary ${JSON.stringify(text)} matches no live proxy that reports${why}; citadel proxy list names them`,
    );
  }
  const isChosen = choiceOf(rotationId, { selectors, upTo });
  return {
    selectors,
    upTo,
    watch: order.watch ?? defaultWatch,
    allowedFailures: order.allowedFailures ?? 0,
    auto: order.auto ?? false,
    watched: reporting.filter(isChosen).map((proxy) => ({
      proxyKey: proxy.proxyKey,
      fromStart: true,
      since: undefined,
      failedBefore: failuresOf(proxy),
      halt: undefined,
    })),
  };
}

/** How far the chosen proxies are, and what the watch of them says. */
export interface CanaryStanding {
  readonly canary: RotationCanary;
  /** One of each chosen proxy that is live and reports. */
  readonly proxies: readonly { readonly watched: WatchedProxy; readonly standing: ProxyStanding }[];
}

/**
 * Joins what is known now to what has been seen of a canary before. Pure, and safe to repeat: what it returns is what is to
 * be stored. A proxy's watch begins when it is seen to use the bundle and begins anew when it does not any more; while it
 * is away nothing is known, and its counters tell of that time when it is back. A refusal, or more failed handshakes than
 * are allowed, halts for good.
 */
export function watchCanary(
  { id, newRoot }: RootRotation,
  canary: RotationCanary,
  evidence: RotationEvidence,
): CanaryStanding {
  const isChosen = choiceOf(id, canary);
  const known = new Map(canary.watched.map((watched) => [watched.proxyKey, watched]));
  const holdsNew = (version: string) => {
    const roots = evidence.bundles.get(version);
    return roots && newRoot !== undefined && roots.includes(newRoot);
  };
  const proxies = evidence.proxies
    .filter((proxy) => proxy.report !== undefined && isChosen(proxy))
    .map((proxy) => {
      const seen = refusedByAds(bundleStanding(proxy, holdsNew), evidence);
      const before = known.get(proxy.proxyKey) ?? { ...unwatched, proxyKey: proxy.proxyKey };
      const watched = watchProxy(before, seen, canary.allowedFailures, evidence.now);
      known.set(proxy.proxyKey, watched);
      return { watched, standing: withWatch(seen, watched, canary.watch, evidence.now) };
    });
  const all = [...known.values()];
  const isSame = all.length === canary.watched.length && all.every((each, at) => each === canary.watched[at]);
  return { canary: isSame ? canary : { ...canary, watched: all }, proxies };
}

const unwatched = { fromStart: false, since: undefined, failedBefore: undefined, halt: undefined } as const;

/** A proxy may have its bundle from the control plane: its agent does not see that one refused. */
function refusedByAds(standing: ProxyStanding, { refusals }: RotationEvidence): ProxyStanding {
  const error = refusals?.(standing.proxy.proxyKey);
  return error === undefined
    ? standing
    : { ...standing, standing: 'refused', detail: `refused the bundle of the control plane: ${error}` };
}

function watchProxy(
  before: WatchedProxy,
  { proxy, standing, detail }: ProxyStanding,
  allowed: number,
  now: Date,
): WatchedProxy {
  const failures = failuresOf(proxy);
  const failedBefore = before.failedBefore ?? failures;
  const more = (failures ?? 0) - (failedBefore ?? 0);
  const isKept = standing === 'away' || standing === 'inUse';
  const since = standing === 'inUse' ? (before.since ?? now) : isKept ? before.since : undefined;
  const reason = before.halt
    ? undefined
    : standing === 'refused'
      ? detail
      : more > allowed
        ? describeFailures(more, allowed, proxy)
        : undefined;
  const refused = standing === 'refused';
  const first = reason === undefined ? before.halt : { at: now, reason };
  const halt = refused && first?.refused !== true && first ? { ...first, refused } : first;
  const isSame =
    since?.getTime() === before.since?.getTime() &&
    failedBefore === before.failedBefore &&
    halt === before.halt;
  return isSame ? before : { ...before, since, failedBefore, halt };
}

/**
 * Who is given the new root before all others. Not whoever refused the bundle: it would refuse each one that holds the new root, and
 * with it the CRLs that come along. Pure.
 */
export function canaryChoice({ id, canary }: Pick<RootRotation, 'id' | 'canary'>): BundleChoice | undefined {
  if (!canary) return undefined;
  const isChosen = choiceOf(id, canary);
  const refused = new Set(
    canary.watched.filter(({ halt }) => halt?.refused === true).map(({ proxyKey }) => proxyKey),
  );
  return {
    id: [id, ...[...refused].toSorted()].join(' '),
    isChosen: (reader) => isChosen(reader) && !refused.has(reader.proxyKey),
  };
}

/** What the watch adds to how far a proxy is. */
function withWatch(seen: ProxyStanding, watched: WatchedProxy, watch: number, now: Date): ProxyStanding {
  if (watched.halt) return { ...seen, standing: 'refused', detail: `halted: ${watched.halt.reason}` };
  if (seen.standing !== 'inUse') return seen;
  const unseen = unseenHandshakes(seen.proxy, now);
  if (unseen !== undefined) return { ...seen, standing: 'accepted', detail: `${seen.detail}; ${unseen}` };
  const end = watchEnd(watched, watch);
  return end !== undefined && end > now
    ? { ...seen, detail: `${seen.detail}; watched until ${end.toISOString()}` }
    : seen;
}

/** When the watch of a proxy ends; undefined where it has not begun. */
export function watchEnd({ since }: WatchedProxy, watch: number): Date | undefined {
  return since && new Date(since.getTime() + watch);
}

/** Why the failed handshakes of a proxy are not known; undefined where they are, or where there is no Envoy to have any. */
function unseenHandshakes({ report }: LiveProxy, now: Date): string | undefined {
  if (!report?.consumers.some(({ kind }) => kind === 'envoy-sds')) return undefined;
  if (!report.handshakes) return 'its agent does not see what handshakes fail at its Envoy';
  const { observedAt } = report.handshakes.last;
  return now.getTime() - observedAt.getTime() > freshFor
    ? `what handshakes fail at its Envoy was last seen at ${observedAt.toISOString()}`
    : undefined;
}

function failuresOf({ report }: LiveProxy): number | undefined {
  return report?.handshakes && sum(report.handshakes);
}

function sum({ downstream, upstream }: Pick<HandshakeTally, 'downstream' | 'upstream'>): number {
  return [downstream, upstream]
    .flatMap((each) => Object.values(each))
    .reduce((total, each) => total + each, 0);
}

function describeFailures(more: number, allowed: number, { report }: LiveProxy): string {
  const { downstream, upstream } = report?.handshakes ?? {};
  const told = [
    ...(downstream ? [`as callee ${describe(downstream)}`] : []),
    ...(upstream ? [`as caller ${describe(upstream)}`] : []),
  ];
  return `${more} failed handshakes more than before, ${allowed} allowed; in all ${told.join(', ')}`;
}

function describe(failures: NonNullable<HandshakeTally['downstream']>): string {
  const { untrusted, otherIdentity, noCertificate, connection } = failures;
  return `${untrusted} untrusted, ${otherIdentity} of another identity, ${noCertificate} without a certificate, ${connection} broken off`;
}
