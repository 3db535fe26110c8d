import { CitadelError, type Clock, describeError, type Log } from '../../kernel/index.ts';
import { type KeySetState, type KeySets, wantedKeySets } from '../jwks/index.ts';
import { type LintWarning, lintPolicies } from '../policy/index.ts';
import type {
  ConnectedProxy,
  DiscoverySource,
  MeshSource,
  MeshSourceState,
  Metrics,
  ProxyRenderer,
} from '../ports/index.ts';
import type { BundleSource } from '../trust/index.ts';
import { servicesByWorkload } from './callers.ts';
import { candidateOf } from './candidate.ts';
import { debounce } from './debounce.ts';
import type { MeshSettings, MeshSnapshot, Workload } from './model.ts';
import { type PolicyStatus, policyStatuses } from './policy-status.ts';
import { ProxySession, type SessionMesh } from './proxy-session.ts';
import type { ProxyState } from './proxy-tracker.ts';
import { readerBundles } from './reader-bundles.ts';
import { resolveWorkload } from './resolve.ts';
import { type ShadowStanding, shadowStandings } from './shadow-standing.ts';
import { describeShadowed } from './shadowed.ts';
import { composeSnapshot } from './snapshot.ts';
import { indexMesh, type MeshIndex, type ProxyView, viewOf } from './view.ts';

export interface ControlPlaneOptions {
  readonly settings: MeshSettings;
  /** Those that are trusted more first: where two name the same object, the first one's counts. */
  readonly sources: readonly MeshSource[];
  readonly renderer: ProxyRenderer;
  /** Which workloads an operator made strict; absent: none. `refresh` when it says something else. */
  readonly isStrict?: (workload: Workload) => boolean;
  /** See MeshSettings; absent: as the settings say. `refresh` when it has grown. */
  readonly drainGeneration?: () => number;
  /** Absent: policies that want keys fetched get none. */
  readonly keySets?: KeySets;
  /** Whose bundle proxies get that ask for it. Absent: they get none. */
  readonly authority?: BundleSource;
  readonly metrics: Pick<Metrics, 'meshFailed' | 'meshSources'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why a change of the mesh reached nobody, and since when: what holds is what held before. */
export interface MeshProblem {
  readonly since: Date;
  readonly cause: string;
}

export interface ControlPlane extends DiscoverySource {
  /** Follows the sources. Resolves when each has had its first answer, good or bad. */
  start(): Promise<void>;
  /** Looks again at what is neither in the sources nor in the keys. */
  refresh(): void;
  /** For whom a proxy may speak. @throws CitadelError PermissionDenied when there is none */
  workloadOf(proxy: ConnectedProxy): Workload;
  /** What the proxy of a workload is configured from; undefined when no registry knows the workload. */
  view(workload: string): ProxyView | undefined;
  /** Undefined until every source has given something. */
  snapshot(): MeshSnapshot | undefined;
  sources(): readonly MeshSourceState[];
  /** Undefined: the last change was taken in. */
  problem(): MeshProblem | undefined;
  /** What policies want fetched, and how far it is. */
  keySets(): readonly KeySetState[];
  proxies(): readonly ProxyState[];
  /** The streams of one proxy. */
  proxiesOf(proxyKey: string): readonly ProxyState[];
  /** The streams of the proxies of one workload; of their resources the listeners alone. */
  listenersAt(workload: string): readonly ProxyState[];
  /** A workload that may call this one and whose proxy has not accepted yet how. */
  callerBehind(workload: string): string | undefined;
  policies(): readonly PolicyStatus[];
  /** The id of what the proxy of a workload compares; undefined where nothing is tried that decides otherwise for it. */
  trialOf(workload: string): string | undefined;
  /** Of the workloads for which the change that is tried decides otherwise, how far it has come. */
  shadows(): readonly ShadowStanding[];
  /** Calls whenever a policy's status may have changed: often, so that whoever listens waits a little. */
  onProgress(listener: () => void): () => void;
  /** What of the policies is legal but surely not meant. */
  policyWarnings(): readonly LintWarning[];
  /** How often a proxy's configuration has been worked out since the start. */
  renders(): number;
  close(): Promise<void>;
}

/** Milliseconds: a change is sent after this long without another, or after the second number in any case. */
const quiet = 100;
const atMost = 1_000;

/** Of rules with rules: everybody waits for whoever asks for the warnings. */
const comparisons = 1_000_000;
/** Of what does not count, how much is logged at one change. */
const mostTold = 100;

/** Brings sources, policies and proxies together: what each connected proxy should have, and what it said of it. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { authority, settings, sources, renderer, keySets, isStrict, metrics, clock, log } = options;
  let index: MeshIndex | undefined;
  let linted: { readonly snapshot: MeshSnapshot; readonly warnings: readonly LintWarning[] } | undefined;
  let renders = 0;
  let problem: MeshProblem | undefined;
  const sessions = new Set<ProxySession>();
  const listeners = new Set<() => void>();
  let closed = false;
  let toldOf: ReadonlySet<string> = new Set();
  const progressed = () => {
    for (const listener of listeners) listener();
  };

  /** The same object while it says the same: what was rendered under it is kept. */
  let present = settings;
  const settingsNow = () => {
    const drainGeneration = options.drainGeneration?.() ?? settings.drainGeneration;
    if (drainGeneration !== present.drainGeneration) present = { ...settings, drainGeneration };
    return present;
  };

  const recompute = () => {
    if (closed) return;
    const contents = sources.flatMap((source) => source.content() ?? []);
    // A source that has never answered might know of what the others do not: serving without it would take that away.
    if (contents.length < sources.length) return;
    const snapshot = composeSnapshot(settingsNow(), contents, {
      previous: index?.snapshot,
      keySets: keySets?.content(),
      bundles: authority ? [authority.bundle()] : [],
      isStrict,
      candidate: candidateOf(sources),
    });
    keySets?.follow(wantedKeySets(snapshot.policies));
    index = indexMesh(snapshot, index);
    problem = undefined;
    tellOfShadowed(snapshot);
    for (const session of sessions) session.refresh();
    progressed();
  };
  const stateOf = (source: MeshSource, at: number): MeshSourceState => {
    const state = source.state();
    const own = index?.snapshot.shadowed.filter(({ from }) => from === at).map(describe) ?? [];
    return own.length === 0 ? state : { ...state, shadowed: [...state.shadowed, ...own] };
  };
  const describe = describeShadowed(sources.map(({ name }) => name));
  /** Each once, for as long as it is so. */
  const tellOfShadowed = ({ shadowed }: MeshSnapshot) => {
    const reasons = shadowed.map((each) => describe(each).reason);
    for (const reason of reasons.filter((each) => !toldOf.has(each)).slice(0, mostTold))
      log.warn('an object does not count, because an earlier source has one of its name', { reason });
    toldOf = new Set(reasons);
  };
  const failed = (error: unknown) => {
    const cause = describeError(error);
    problem = { since: problem?.since ?? clock.now(), cause };
    metrics.meshFailed('mesh');
    log.error('a change of the mesh could not be taken in; what held before goes on to hold', { cause });
  };
  let unfollow: (() => void) | undefined;
  const soon = debounce(recompute, { quiet, atMost, clock, failed });

  const bundlesOf = readerBundles(authority);
  const viewFor = (proxy: ConnectedProxy, workload: string) => {
    const view = index && viewOf(index, workload);
    if (!view) return undefined;
    const bundles = bundlesOf(proxy, view.bundles);
    return bundles === view.bundles ? view : { ...view, bundles };
  };

  const mesh: SessionMesh = {
    index: () => index,
    viewFor,
    renderer: {
      render(view) {
        renders += 1;
        return renderer.render(view);
      },
    },
    keySets,
    metrics,
    clock,
    log,
    progressed,
    left: (session) => sessions.delete(session),
  };

  const proxies = () => [...sessions].map(({ state }) => state);

  const resolve = (proxy: ConnectedProxy): ProxyView => {
    if (!index) {
      throw new CitadelError('Unavailable', 'the registry has not been read yet; try again');
    }
    const workload = resolveWorkload(index.snapshot, proxy);
    const view = workload && viewFor(proxy, workload.id);
    if (!view) {
      throw new CitadelError('PermissionDenied', 'no registry names a workload of this identity', {
        details: `${proxy.spiffeId} (${proxy.proxyKey}), node ${proxy.nodeId}`,
      });
    }
    return view;
  };

  return {
    async start() {
      metrics.meshSources(() => sources.map(stateOf));
      keySets?.start(() => soon.call());
      unfollow = authority?.onBundleChange(() => soon.call());
      await Promise.all(sources.map((source) => source.start(() => soon.call())));
      soon.now();
      if (!keySets) return;
      // Proxies of an earlier run come with keys: without these they would be told to refuse what they accept.
      await keySets.settled();
      soon.now();
    },
    open(proxy, changed) {
      const view = resolve(proxy);
      const session = new ProxySession(mesh, proxy, view, changed);
      sessions.add(session);
      progressed();
      return session;
    },
    refresh: () => soon.call(),
    workloadOf: (proxy) => resolve(proxy).workload,
    view: (workload) => index && viewOf(index, workload),
    snapshot: () => index?.snapshot,
    sources: () => sources.map(stateOf),
    problem: () => problem,
    keySets: () => keySets?.states() ?? [],
    proxies,
    proxiesOf: (proxyKey) =>
      [...sessions].filter((session) => session.proxyKey === proxyKey).map(({ state }) => state),
    listenersAt: (workload) =>
      [...sessions]
        .filter((session) => session.workload === workload)
        .map(({ listenerState }) => listenerState),
    callerBehind(workload) {
      const called = index && servicesByWorkload(index.snapshot).get(workload);
      return called && [...sessions].find((session) => session.isBehindIn(called))?.workload;
    },
    policyWarnings() {
      if (!index) return [];
      const { snapshot } = index;
      if (linted?.snapshot !== snapshot)
        linted = {
          snapshot,
          warnings: lintPolicies(snapshot.policies, snapshot, undefined, { comparisons }),
        };
      return linted.warnings;
    },
    policies: () => (index ? policyStatuses(index, proxies()) : []),
    trialOf: (workload) => index?.shadows.byWorkload.get(workload)?.id,
    shadows: () => (index ? shadowStandings(index, proxies()) : []),
    onProgress(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    renders: () => renders,
    async close() {
      closed = true;
      unfollow?.();
      soon.close();
      await Promise.all([...sources.map((source) => source.close()), keySets?.close()]);
    },
  };
}
