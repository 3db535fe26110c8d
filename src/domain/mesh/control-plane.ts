import { CitadelError, type Clock, describeError, type Log } from '../../kernel/index.ts';
import { type KeySetState, type KeySets, wantedKeySets } from '../jwks/index.ts';
import { type LintWarning, lintPolicies } from '../policy/index.ts';
import type {
  ConnectedProxy,
  DiscoveryResources,
  DiscoverySession,
  DiscoverySource,
  MeshSource,
  MeshSourceState,
  Metrics,
  ProxyRenderer,
} from '../ports/index.ts';
import { tooMuch } from './bounded-policies.ts';
import { isAboutCalls, mayCall, servicesByWorkload } from './callers.ts';
import { debounce } from './debounce.ts';
import type { MeshSettings, MeshSnapshot, Workload } from './model.ts';
import { type PolicyStatus, policyStatuses } from './policy-status.ts';
import { type ProxyState, ProxyTracker } from './proxy-tracker.ts';
import { resolveWorkload } from './resolve.ts';
import { describeShadowed } from './shadowed.ts';
import { composeSnapshot } from './snapshot.ts';
import { hasTooMuch, indexMesh, type MeshIndex, type ProxyView, sameView, viewOf } from './view.ts';

export interface ControlPlaneOptions {
  readonly settings: MeshSettings;
  /** Those that are trusted more first: where two name the same object, the first one's counts. */
  readonly sources: readonly MeshSource[];
  readonly renderer: ProxyRenderer;
  /** Which workloads an operator made strict; absent: none. `refresh` when it says something else. */
  readonly isStrict?: (workload: Workload) => boolean;
  /** Absent: policies that want keys fetched get none. */
  readonly keySets?: KeySets;
  readonly metrics?: Pick<Metrics, 'meshSources'>;
  readonly clock: Clock;
  readonly log: Log;
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
/** Milliseconds that a proxy keeps what it has while keys that a policy newly names are on their way. */
const longestWaitForKeys = 10_000;

/** Of rules with rules: everybody waits for whoever asks for the warnings. */
const comparisons = 1_000_000;
/** Of what does not count, how much is logged at one change. */
const mostTold = 100;

/** Brings sources, policies and proxies together: what each connected proxy should have, and what it said of it. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { settings, sources, renderer, keySets, isStrict, metrics, clock, log } = options;
  let index: MeshIndex | undefined;
  let linted: { readonly snapshot: MeshSnapshot; readonly warnings: readonly LintWarning[] } | undefined;
  let renders = 0;
  const sessions = new Set<Session>();
  const listeners = new Set<() => void>();
  let closed = false;
  let toldOf: ReadonlySet<string> = new Set();
  const progressed = () => {
    for (const listener of listeners) listener();
  };

  const recompute = () => {
    if (closed) return;
    const contents = sources.flatMap((source) => source.content() ?? []);
    // A source that has never answered might know of what the others do not: serving without it would take that away.
    if (contents.length < sources.length) return;
    const snapshot = composeSnapshot(settings, contents, index?.snapshot, keySets?.content(), isStrict);
    keySets?.follow(wantedKeySets(snapshot.policies));
    index = indexMesh(snapshot, index);
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
  const soon = debounce(recompute, { quiet, atMost, clock });

  class Session implements DiscoverySession {
    readonly proxyKey: string;
    readonly #changed: () => void;
    readonly #tracker: ProxyTracker;
    #view: ProxyView;
    #waitingSince: number | undefined;
    #resources: DiscoveryResources;
    #isBehind = false;
    /** Worked out when asked for, and kept until something of it changes. */
    #callsAsTold: boolean | undefined;

    constructor(proxy: ConnectedProxy, view: ProxyView, changed: () => void) {
      this.proxyKey = proxy.proxyKey;
      this.#changed = changed;
      this.#view = view;
      this.#resources = this.#render(view);
      this.#tracker = new ProxyTracker(proxy, view.workload.id, clock);
    }

    get state(): ProxyState {
      return this.#tracker.state(this.#resources, this.#isBehind);
    }

    get listenerState(): ProxyState {
      return this.#tracker.state(this.#resources, this.#isBehind, (typeUrl) => typeUrl.endsWith('.Listener'));
    }

    get workload(): string {
      return this.#view.workload.id;
    }

    isBehindIn(called: ReadonlySet<string>): boolean {
      if (!mayCall(this.#view, called)) return false;
      this.#callsAsTold ??= this.#tracker.isCurrent(this.#resources, isAboutCalls);
      return this.#isBehind || !this.#callsAsTold;
    }

    /**
     * A rule whose keys are still being fetched would refuse every token for that long, also those that were good under
     * the rule before it. Not for ever: who writes policies must not be able to hold back those of others.
     */
    #waitsForKeys(view: ProxyView): boolean {
      const pending = [...wantedKeySets(view.policies).keys()].some((id) => keySets?.isPending(id));
      if (!pending) return false;
      const now = clock.now().getTime();
      this.#waitingSince ??= now;
      return now - this.#waitingSince < longestWaitForKeys;
    }

    #render(view: ProxyView): DiscoveryResources {
      this.#waitingSince = undefined;
      renders += 1;
      if (index && hasTooMuch(index, view.workload))
        log.error('a workload has too many policies', { workload: view.workload.id, reason: tooMuch });
      return renderer.render(view);
    }

    /** A workload that has left the registry keeps what it has for as long as its certificate keeps the stream open. */
    refresh(): void {
      const view = index && viewOf(index, this.#view.workload.id);
      this.#isBehind = view !== undefined && !sameView(this.#view, view);
      if (!view || !this.#isBehind || this.#waitsForKeys(view)) return;
      try {
        this.#resources = this.#render(view);
      } catch (error) {
        log.error('a proxy could not be configured anew; it keeps what it has', {
          workload: view.workload.id,
          cause: describeError(error),
        });
        return;
      }
      this.#view = view;
      this.#isBehind = false;
      this.#callsAsTold = undefined;
      this.#changed();
    }

    resources(): DiscoveryResources {
      return this.#resources;
    }

    sent(typeUrl: string, resources: ReadonlyMap<string, string>, removed: readonly string[]): void {
      this.#tracker.sent(typeUrl, resources, removed);
      this.#callsAsTold = undefined;
    }

    answered(answer: Parameters<DiscoverySession['answered']>[0]): void {
      this.#tracker.answered(answer);
      this.#callsAsTold = undefined;
      progressed();
      if (answer.error !== undefined) {
        log.warn('a proxy refused its configuration', {
          workload: this.#view.workload.id,
          typeUrl: answer.typeUrl,
          resources: [...answer.resources.keys()].slice(0, 20),
          error: answer.error,
        });
      }
    }

    close(): void {
      sessions.delete(this);
      progressed();
    }
  }

  const proxies = () => [...sessions].map(({ state }) => state);

  const resolve = (proxy: ConnectedProxy): ProxyView => {
    if (!index) {
      throw new CitadelError('Unavailable', 'the registry has not been read yet; try again');
    }
    const workload = resolveWorkload(index.snapshot, proxy);
    const view = workload && viewOf(index, workload.id);
    if (!view) {
      throw new CitadelError('PermissionDenied', 'no registry names a workload of this identity', {
        details: `${proxy.spiffeId} (${proxy.proxyKey}), node ${proxy.nodeId}`,
      });
    }
    return view;
  };

  return {
    async start() {
      metrics?.meshSources(() => sources.map(stateOf));
      keySets?.start(() => soon.call());
      await Promise.all(sources.map((source) => source.start(() => soon.call())));
      recompute();
      if (!keySets) return;
      // Proxies of an earlier run come with keys: without these they would be told to refuse what they accept.
      await keySets.settled();
      recompute();
    },
    open(proxy, changed) {
      const view = resolve(proxy);
      const session = new Session(proxy, view, changed);
      sessions.add(session);
      progressed();
      return session;
    },
    refresh: () => soon.call(),
    workloadOf: (proxy) => resolve(proxy).workload,
    view: (workload) => index && viewOf(index, workload),
    snapshot: () => index?.snapshot,
    sources: () => sources.map(stateOf),
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
    onProgress(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    renders: () => renders,
    async close() {
      closed = true;
      soon.close();
      await Promise.all([...sources.map((source) => source.close()), keySets?.close()]);
    },
  };
}
