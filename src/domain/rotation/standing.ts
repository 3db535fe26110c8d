import type { Consumer, ConsumerResource, LiveLeaf, ProxyReport } from '../ports/index.ts';

/**
 * How far one proxy is with what is asked of its trust bundle. `inUse` is seen; `accepted` is an ACK, which says parsed and
 * no more; `handedOut` is what the reply to its last certificate request carried, of one that cannot report.
 */
export type Standing = 'inUse' | 'accepted' | 'handedOut' | 'sent' | 'refused' | 'behind' | 'away';

/** A proxy that holds a certificate which is still valid. */
export interface LiveProxy {
  readonly proxyKey: string;
  readonly spiffeId: string;
  /** The newest of its certificates. */
  readonly leaf: LiveLeaf;
  /** Its others that are valid. */
  readonly others: readonly LiveLeaf[];
  /** What its agent said last; undefined: it has none that reports. */
  readonly report: ProxyReport | undefined;
}

export interface ProxyStanding {
  readonly proxy: LiveProxy;
  readonly standing: Standing;
  /** What it has, what it said, or since when it is away: for the operator. */
  readonly detail: string;
}

/** Whether a bundle of this content version is as asked; undefined: nothing is known of that version. */
export type BundleTest = (version: string) => boolean | undefined;

/** From the best to the worst: a proxy is no further than the last of its consumers. */
const order: readonly Standing[] = ['inUse', 'accepted', 'handedOut', 'sent', 'refused', 'behind', 'away'];

type Judged = Pick<ProxyStanding, 'standing' | 'detail'>;

/** An agent opens a stream with each new certificate, and reports on it at once: so long is it given. */
const reportsWithin = 60_000;

/**
 * Joins certificates and reports. A report without a valid certificate is of a proxy that is gone. Clients of one pod share
 * its key, but what an agent reports stands for its own certificates alone: who has one by which nobody has ever reported
 * is another one, under the key `KEY/other`.
 */
export function liveProxies(
  given: readonly LiveLeaf[],
  reports: readonly ProxyReport[],
  now: Date,
): readonly LiveProxy[] {
  const byKey = new Map(reports.map((report) => [report.proxyKey, report]));
  const isOthers = ({ reported, proxyKey, recordedAt }: LiveLeaf) =>
    !reported && byKey.has(proxyKey) && now.getTime() - recordedAt.getTime() > reportsWithin;
  const leaves = given.map((leaf) =>
    isOthers(leaf) ? { ...leaf, proxyKey: `${leaf.proxyKey}/other` } : leaf,
  );
  const newest = new Map<string, { leaf: LiveLeaf; others: LiveLeaf[] }>();
  for (const leaf of leaves) {
    const known = newest.get(leaf.proxyKey);
    if (!known) newest.set(leaf.proxyKey, { leaf, others: [] });
    else if (leaf.recordedAt > known.leaf.recordedAt) {
      known.others.push(known.leaf);
      known.leaf = leaf;
    } else known.others.push(leaf);
  }
  return [...newest.values()].map(({ leaf, others }) => ({
    proxyKey: leaf.proxyKey,
    spiffeId: leaf.spiffeId,
    leaf,
    others,
    report: byKey.get(leaf.proxyKey),
  }));
}

/** How far a proxy is with a bundle that `isAsAsked`. */
export function bundleStanding(proxy: LiveProxy, isAsAsked: BundleTest): ProxyStanding {
  return { proxy, ...judgeBundle(proxy, isAsAsked) };
}

function judgeBundle({ leaf, others, report }: LiveProxy, isAsAsked: BundleTest): Judged {
  if (!report) {
    return isAsAsked(leaf.bundleVersion) === true
      ? {
          standing: 'handedOut',
          detail: `was handed bundle ${short(leaf.bundleVersion)}; cannot report use${earlier(others, isAsAsked)}`,
        }
      : { standing: 'behind', detail: `was last handed bundle ${short(leaf.bundleVersion)}` };
  }
  if (!report.connected) return { standing: 'away', detail: `last seen ${report.lastSeenAt.toISOString()}` };
  const own: Judged =
    isAsAsked(report.agentBundleVersion) === true
      ? { standing: 'inUse', detail: `its agent uses bundle ${short(report.agentBundleVersion)}` }
      : { standing: 'behind', detail: `its agent has bundle ${short(report.agentBundleVersion)}` };
  return worst([
    own,
    ...report.consumers.flatMap((consumer) => judgeConsumer(consumer, isAsAsked)),
    ...judgeUnseen(report.consumers),
  ]);
}

/** Two clients of one pod cannot be told apart: whoever answers for it is to know that the one may not have come yet. */
function earlier(others: readonly LiveLeaf[], isAsAsked: BundleTest): string {
  const without = others.filter(({ bundleVersion }) => isAsAsked(bundleVersion) !== true);
  if (without.length === 0) return '';
  const last = new Date(Math.max(...without.map(({ notAfter }) => notAfter.getTime())));
  return `; earlier certificates of it came with another bundle: ${without.length}, the last valid until ${last.toISOString()}`;
}

/** An Envoy that has its certificate from the agent and its bundle from elsewhere, or not yet: the agent says nothing of it. */
function judgeUnseen(consumers: readonly Consumer[]): Judged[] {
  const kinds = consumers
    .filter(({ kind }) => kind === 'envoy-sds')
    .flatMap(({ resources }) => resources.map(({ kind }) => kind));
  return kinds.includes('svid') && !kinds.includes('bundle')
    ? [{ standing: 'accepted', detail: 'its Envoy has no bundle from its agent; use is not seen' }]
    : [];
}

function judgeConsumer({ id, resources }: Consumer, isAsAsked: BundleTest): Judged[] {
  return resources
    .filter(({ kind }) => kind === 'bundle')
    .map((resource) => {
      const { standing, detail } = judgeResource(resource, isAsAsked);
      return { standing, detail: `${id} ${resource.name}: ${detail}` };
    });
}

function judgeResource(resource: ConsumerResource, isAsAsked: BundleTest): Judged {
  const { sent, accepted, inUse, inUseEvidence, nackError } = resource;
  const is = (version: string | undefined) => version !== undefined && isAsAsked(version) === true;
  if (is(inUse))
    return { standing: 'inUse', detail: `uses ${short(inUse)}, by ${inUseEvidence ?? 'report'}` };
  if (nackError !== undefined) return { standing: 'refused', detail: `refused the bundle: ${nackError}` };
  // What is seen to use another one does not use this one, whatever it has accepted.
  if (inUse !== undefined) return { standing: 'behind', detail: `still uses ${short(inUse)}` };
  if (is(accepted)) return { standing: 'accepted', detail: `accepted ${short(accepted)}; use is not seen` };
  if (is(sent)) return { standing: 'sent', detail: `was sent ${short(sent)} and has not answered` };
  return { standing: 'behind', detail: `has ${short(accepted ?? sent)}` };
}

/** Whether a proxy has left the issuing authorities of `isOld`. */
export function leafStanding(proxy: LiveProxy, isOld: (issuer: string) => boolean): ProxyStanding {
  const { leaf, report } = proxy;
  const until = `until ${leaf.notAfter.toISOString()}`;
  if (isOld(leaf.issuer))
    return { proxy, standing: 'behind', detail: `its newest certificate is under the old root, ${until}` };
  const held = report?.consumers
    .flatMap(({ resources }) => resources)
    .find(({ kind, inUseIssuer }) => kind === 'svid' && inUseIssuer !== undefined && isOld(inUseIssuer));
  if (held)
    return { proxy, standing: 'behind', detail: `still uses ${held.inUse ?? ''}, under the old root` };
  return { proxy, standing: report ? 'inUse' : 'handedOut', detail: 'has a certificate under the new root' };
}

function worst(all: readonly [Judged, ...Judged[]]): Judged {
  return all.reduce((least, each) =>
    order.indexOf(each.standing) > order.indexOf(least.standing) ? each : least,
  );
}

function short(version: string | undefined): string {
  return version === undefined || version === '' ? 'none' : version.slice(0, 12);
}
