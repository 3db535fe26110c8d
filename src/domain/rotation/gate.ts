import type { KeyAlgorithm } from '../../pki/index.ts';
import type { AuthorityRecord, LiveLeaf, RootRotation, RotationPhase } from '../ports/index.ts';
import { watchCanary, watchEnd } from './canary.ts';
import { latest } from './plan.ts';
import {
  type BundleTest,
  bundleStanding,
  type LiveProxy,
  leafStanding,
  type ProxyStanding,
  type Standing,
} from './standing.ts';
import { whyUnable } from './verifiers.ts';

/** All that is known at one moment of who uses what. */
export interface RotationEvidence {
  readonly now: Date;
  readonly proxies: readonly LiveProxy[];
  readonly leaves: readonly LiveLeaf[];
  /** In the making: each may be at its holder before it counts among the leaves. */
  readonly pending: readonly LiveLeaf[];
  readonly authorities: readonly AuthorityRecord[];
  /** Until when certificates may be valid that are on no record: whoever has one cannot be asked for. */
  readonly unrecordedUntil: Date | undefined;
  /** Fingerprints of the roots in each bundle that was ever in force, by its content version. */
  readonly bundles: ReadonlyMap<string, readonly string[]>;
  /** What a proxy says of a bundle of the control plane that it refuses. Absent: there is no control plane. */
  readonly refusals?: (proxyKey: string) => string | undefined;
}

/** Whether a phase may end. */
export interface Gate {
  readonly open: boolean;
  readonly standings: readonly ProxyStanding[];
  /** Why not; an operator's word lifts those of `unproven` one by one, nothing but force the others. */
  readonly stragglers: readonly ProxyStanding[];
  /** What cannot show more than that it was given the bundle. */
  readonly unproven: readonly ProxyStanding[];
  /** Issuing authorities that sign under the root that is to go, by id: their next certificate would be refused. */
  readonly signing: readonly string[];
  /** Certificates that must end first. */
  readonly leaves: { readonly count: number; readonly lastNotAfter: Date | undefined };
  /** Until then there may be proxies that nobody knows of; undefined: all are known. */
  readonly blindUntil: Date | undefined;
  /** The new root, by its id, where it is compromised: it never signs, by force neither, and an abort is the way out. */
  readonly taintedRoot?: string;
  /** Of a canary alone. */
  readonly canary?: CanaryGate;
}

export interface CanaryGate {
  /** Those of the stragglers because of whom it is stopped: an excuse for each, force or an abort alone go on. */
  readonly halted: readonly ProxyStanding[];
  /** When the last of the watches ends that is waited for; undefined: none is, or has begun. */
  readonly until: Date | undefined;
}

const proven: readonly Standing[] = ['inUse'];
const givenOnly: readonly Standing[] = ['accepted', 'handedOut'];
const noLeaves = { count: 0, lastNotAfter: undefined };

type Waiting = Extract<RotationPhase, 'canary' | 'distribute' | 'drain' | 'retire' | 'undo'>;

/** What a phase waits for, and how far that is. Pure. */
export function gateOf(rotation: RootRotation, phase: Waiting, evidence: RotationEvidence): Gate {
  const seen = unlessTainted(gateOfWhatIsSeen(rotation, phase, evidence), rotation, phase, evidence);
  const { unrecordedUntil, now } = evidence;
  // A canary has proxies of its own.
  if (phase === 'canary' || unrecordedUntil === undefined || unrecordedUntil <= now) return seen;
  return { ...seen, open: false, blindUntil: unrecordedUntil };
}

function unlessTainted(
  seen: Gate,
  { newRoot }: RootRotation,
  phase: Waiting,
  { authorities }: RotationEvidence,
): Gate {
  if (phase !== 'canary' && phase !== 'distribute') return seen;
  const root = authorities.find(({ fingerprint, tainted }) => fingerprint === newRoot && tainted);
  return root ? { ...seen, open: false, taintedRoot: root.id } : seen;
}

function gateOfWhatIsSeen(rotation: RootRotation, phase: Waiting, evidence: RotationEvidence): Gate {
  const { newRoot, oldRoot } = rotation;
  switch (phase) {
    case 'canary':
      return canaryGate(rotation, evidence);
    case 'distribute':
      return gate(
        rotation,
        bundleStandings(evidence, (roots) => newRoot !== undefined && roots.includes(newRoot)).map(
          (standing) => orUnable(rotation.algorithm, standing),
        ),
      );
    case 'drain':
      return drainGate(rotation, evidence, oldRoot);
    case 'retire':
      return gate(
        rotation,
        bundleStandings(evidence, (roots) => !roots.includes(oldRoot)),
      );
    case 'undo':
      return newRoot === undefined ? gate(rotation, []) : drainGate(rotation, evidence, newRoot);
  }
}

/** Every chosen proxy uses the bundle, and has done so for the whole watch if it was there when the rotation began. */
function canaryGate(rotation: RootRotation, evidence: RotationEvidence): Gate {
  if (!rotation.canary) return gate(rotation, []);
  const { watch } = rotation.canary;
  const { proxies } = watchCanary(rotation, rotation.canary, evidence);
  const found = gate(
    rotation,
    proxies.map(({ standing }) => standing),
  );
  const excused = excusedBy(rotation);
  const counted = proxies
    .map(({ watched }) => watched)
    .filter(({ proxyKey }) => !excused.has(proxyKey))
    .map((watched) => ({ ...watched, end: watchEnd(watched, watch) }));
  const ends = counted.flatMap(({ fromStart, end }) =>
    fromStart && end && end > evidence.now ? [end.getTime()] : [],
  );
  const halted = new Set(counted.filter(({ halt }) => halt).map(({ proxyKey }) => proxyKey));
  return {
    ...found,
    // Of nobody nothing can be learnt.
    open: found.open && ends.length === 0 && counted.some(({ end }) => end && end <= evidence.now),
    canary: {
      halted: found.stragglers.filter(({ proxy }) => halted.has(proxy.proxyKey)),
      until: ends.length === 0 ? undefined : new Date(latest(0, ends)),
    },
  };
}

function drainGate(
  rotation: RootRotation,
  { proxies, leaves, pending, authorities, now }: RotationEvidence,
  root: string,
): Gate {
  const under = authorities.filter(({ rootFingerprint }) => rootFingerprint === root);
  const issuers = new Set(under.map(({ fingerprint }) => fingerprint));
  const signing = under
    .filter(({ kind, state, notAfter }) => kind === 'issuing' && state === 'active' && notAfter > now)
    .map(({ id }) => id);
  const live = [...leaves, ...pending].filter(({ issuer }) => issuers.has(issuer));
  const found = gate(
    rotation,
    proxies.map((proxy) => leafStanding(proxy, (issuer) => issuers.has(issuer))),
  );
  // A certificate that has been replaced is still good to whoever has its key.
  const last = live.map(({ notAfter }) => notAfter.getTime());
  return {
    ...found,
    open: found.stragglers.length === 0 && live.length === 0 && signing.length === 0,
    unproven: [],
    signing,
    leaves: live.length === 0 ? noLeaves : { count: live.length, lastNotAfter: new Date(latest(0, last)) },
  };
}

function bundleStandings(
  { proxies, bundles }: RotationEvidence,
  accepts: (roots: readonly string[]) => boolean,
): ProxyStanding[] {
  const test: BundleTest = (version) => {
    const roots = bundles.get(version);
    return roots && accepts(roots);
  };
  return proxies.map((proxy) => bundleStanding(proxy, test));
}

function excusedBy({ words }: RootRotation): ReadonlySet<string> {
  return new Set(words.filter(({ kind }) => kind === 'excuse').map(({ target }) => target));
}

/** To have the root is not enough for who cannot verify what it signs. */
function orUnable(algorithm: KeyAlgorithm, standing: ProxyStanding): ProxyStanding {
  const why = whyUnable(algorithm, standing.proxy);
  return why === undefined
    ? standing
    : { ...standing, standing: 'behind', detail: `cannot verify ${algorithm}: ${why}` };
}

function gate(rotation: RootRotation, standings: readonly ProxyStanding[]): Gate {
  const excused = excusedBy(rotation);
  const counted = standings.filter(({ proxy }) => !excused.has(proxy.proxyKey));
  const unproven = counted.filter(({ standing }) => givenOnly.includes(standing));
  const stragglers = counted.filter(
    ({ standing }) => !proven.includes(standing) && !givenOnly.includes(standing),
  );
  return {
    open: stragglers.length === 0 && unproven.length === 0,
    standings,
    stragglers,
    unproven,
    signing: [],
    blindUntil: undefined,
    leaves: noLeaves,
  };
}
