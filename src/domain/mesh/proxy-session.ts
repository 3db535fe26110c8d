import { type Clock, describeError, type Log } from '../../kernel/index.ts';
import { type KeySets, wantedKeySets } from '../jwks/index.ts';
import type {
  ConnectedProxy,
  DiscoveryResources,
  DiscoverySession,
  Metrics,
  ProxyRenderer,
} from '../ports/index.ts';
import { tooMuch } from './bounded-policies.ts';
import { isAboutCalls, mayCall } from './callers.ts';
import { type ProxyState, ProxyTracker } from './proxy-tracker.ts';
import { hasTooMuch, type MeshIndex, type ProxyView, sameView } from './view.ts';

/** What a session needs of the mesh that it is part of. */
export interface SessionMesh {
  readonly index: () => MeshIndex | undefined;
  /** What this proxy of the workload is configured from now; undefined when the workload is no longer there. */
  readonly viewFor: (proxy: ConnectedProxy, workload: string) => ProxyView | undefined;
  readonly renderer: ProxyRenderer;
  readonly keySets: Pick<KeySets, 'isPending'> | undefined;
  readonly metrics: Pick<Metrics, 'meshFailed'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something of it has changed that others show. */
  readonly progressed: () => void;
  readonly left: (session: ProxySession) => void;
}

/** Milliseconds that a proxy keeps what it has while keys that a policy newly names are on their way. */
const longestWaitForKeys = 10_000;

/** One stream of one proxy: what it should have, was sent, and said of it. */
export class ProxySession implements DiscoverySession {
  readonly proxyKey: string;
  readonly #mesh: SessionMesh;
  readonly #proxy: ConnectedProxy;
  readonly #changed: () => void;
  readonly #tracker: ProxyTracker;
  #view: ProxyView;
  #waitingSince: number | undefined;
  #resources: DiscoveryResources;
  #failure: string | undefined;
  #isBehind = false;
  /** Worked out when asked for, and kept until something of it changes. */
  #callsAsTold: boolean | undefined;

  /** @param changed called when it should have something else */
  constructor(mesh: SessionMesh, proxy: ConnectedProxy, view: ProxyView, changed: () => void) {
    this.#mesh = mesh;
    this.#proxy = proxy;
    this.proxyKey = proxy.proxyKey;
    this.#changed = changed;
    this.#view = view;
    this.#resources = this.#render(view);
    this.#tracker = new ProxyTracker(proxy, view.workload.id, mesh.clock);
  }

  get state(): ProxyState {
    return this.#tracker.state(this.#resources, this.#lag);
  }

  get listenerState(): ProxyState {
    return this.#tracker.state(this.#resources, this.#lag, (typeUrl) => typeUrl.endsWith('.Listener'));
  }

  get #lag() {
    return { isBehind: this.#isBehind, failure: this.#failure };
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
    const { keySets, clock } = this.#mesh;
    const pending = [...wantedKeySets(view.policies).keys()].some((id) => keySets?.isPending(id));
    if (!pending) return false;
    const now = clock.now().getTime();
    this.#waitingSince ??= now;
    return now - this.#waitingSince < longestWaitForKeys;
  }

  #render(view: ProxyView): DiscoveryResources {
    const { renderer, log } = this.#mesh;
    const index = this.#mesh.index();
    this.#waitingSince = undefined;
    if (index && hasTooMuch(index, view.workload))
      log.error('a workload has too many policies', { workload: view.workload.id, reason: tooMuch });
    return renderer.render(view);
  }

  /** A workload that has left the registry keeps what it has for as long as its certificate keeps the stream open. */
  refresh(): void {
    try {
      if (this.#refreshed()) this.#changed();
    } catch (error) {
      const cause = describeError(error);
      this.#isBehind = true;
      this.#failure = `the server could not make its configuration: ${cause}`;
      this.#mesh.metrics.meshFailed('proxy');
      this.#mesh.log.error('a proxy could not be configured anew; it keeps what it has', {
        workload: this.#view.workload.id,
        cause,
      });
    }
  }

  #refreshed(): boolean {
    const view = this.#mesh.viewFor(this.#proxy, this.#view.workload.id);
    this.#isBehind = view !== undefined && !sameView(this.#view, view);
    if (!view) return false;
    if (this.#isBehind) {
      if (this.#waitsForKeys(view)) return false;
      this.#resources = this.#render(view);
      this.#view = view;
      this.#isBehind = false;
      this.#callsAsTold = undefined;
      this.#failure = undefined;
      return true;
    }
    this.#failure = undefined;
    return false;
  }

  resources(): DiscoveryResources {
    return this.#resources;
  }

  sent(typeUrl: string, resources: ReadonlyMap<string, string>, removed: readonly string[]): void {
    this.#tracker.sent(typeUrl, resources, removed, this.#resources);
    this.#callsAsTold = undefined;
  }

  brought(typeUrl: string, resources: ReadonlyMap<string, string>): void {
    this.sent(typeUrl, resources, []);
    this.answered({ typeUrl, resources, removed: [], error: undefined });
  }

  answered(answer: Parameters<DiscoverySession['answered']>[0]): void {
    this.#tracker.answered(answer);
    this.#callsAsTold = undefined;
    this.#mesh.progressed();
    if (answer.error !== undefined) {
      this.#mesh.log.warn('a proxy refused its configuration', {
        workload: this.#view.workload.id,
        typeUrl: answer.typeUrl,
        resources: [...answer.resources.keys()].slice(0, 20),
        error: answer.error,
      });
    }
  }

  close(): void {
    this.#mesh.left(this);
    this.#mesh.progressed();
  }
}
