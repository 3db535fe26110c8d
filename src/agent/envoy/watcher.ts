import { type Clock, describeError, type Log } from '../../kernel/index.ts';
import type { ConsumerRecord, ConsumerRegistry } from '../consumers.ts';
import { extendHistory, type History } from '../history.ts';
import type { IdentityState } from '../identity/state.ts';
import type { PeerReader } from '../socket/peer.ts';
import { callAdmin } from './admin.ts';
import { bundleInUse, readCertificates, svidInUse } from './certificates-in-use.ts';
import { readProgram } from './program.ts';

export interface WatcherDependencies {
  readonly adminSocket: string;
  readonly readPeer: PeerReader;
  readonly state: IdentityState;
  readonly registry: ConsumerRegistry;
  readonly clock: Clock;
  readonly log: Log;
}

const firstLook = 100;
const quickest = 2_000;
const slowest = 30_000;
const deadline = 5_000;

/**
 * Looks at Envoy's own list of certificates: soon after each push and until the push is seen in use, then now and then. An
 * ACK says "parsed"; this says "in use".
 */
export class EnvoyWatcher {
  readonly #deps: WatcherDependencies;
  #history: History = { svids: [], bundles: [] };
  #wake = new AbortController();
  #pushed = false;
  readonly #named = new WeakSet<ConsumerRecord>();

  constructor(dependencies: WatcherDependencies) {
    this.#deps = dependencies;
  }

  /** Something was sent. */
  notify(): void {
    this.#pushed = true;
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { state, clock } = this.#deps;
    const learn = () => {
      this.#history = extendHistory(this.#history, state.snapshot);
    };
    learn();
    const unsubscribe = state.subscribe(learn);
    try {
      for (let delay = firstLook; !signal.aborted; ) {
        this.#wake = new AbortController();
        if (this.#pushed) delay = firstLook;
        this.#pushed = false;
        const settled = await this.#look();
        if (!this.#pushed) {
          const pause = settled ? slowest : delay;
          delay = Math.min(delay * 2, quickest);
          await clock.sleep(pause, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
        }
      }
    } finally {
      unsubscribe();
    }
  }

  /** @returns whether all that was sent is in use */
  async #look(): Promise<boolean> {
    const { adminSocket, readPeer, log } = this.#deps;
    try {
      let pid = 0;
      const reply = await callAdmin(adminSocket, 'GET', '/certs', deadline, (socket) => {
        pid = readPeer(socket).pid;
      });
      if (reply.status !== 200) return false;
      const contexts = readCertificates(reply.body);
      const consumers = this.#consumersOf(pid);
      if (consumers.length === 0) return false;
      for (const consumer of consumers) this.#record(consumer, contexts);
      await this.#name(consumers);
      return consumers.every((consumer) => this.#settled(consumer));
    } catch (error) {
      log.debug('cannot see which certificates Envoy uses', { reason: describeError(error) });
      return false;
    }
  }

  /** A connection is of one process, whose program stays what it is. */
  async #name(consumers: readonly ConsumerRecord[]): Promise<void> {
    const unnamed = consumers.filter((consumer) => !this.#named.has(consumer));
    if (unnamed.length === 0) return;
    const info = await callAdmin(this.#deps.adminSocket, 'GET', '/server_info', deadline);
    const program = readProgram(info.body);
    if (!program) return;
    for (const consumer of unnamed) {
      consumer.is(program);
      this.#named.add(consumer);
    }
  }

  /**
   * The connections of the Envoy whose admin this is: the kernel names the process on both. Where it cannot (0: another pid
   * namespace) the evidence is taken only when there is no doubt whose it is.
   */
  #consumersOf(pid: number): readonly ConsumerRecord[] {
    const consumers = this.#deps.registry
      .records()
      .filter((consumer) => consumer.kind === 'envoy-sds' && consumer.pid === pid);
    return pid === 0 && consumers.length > 1 ? [] : consumers;
  }

  #record(consumer: ConsumerRecord, contexts: ReturnType<typeof readCertificates>): void {
    const own = this.#deps.state.snapshot.ownTrustDomain;
    for (const { name, kind } of consumer.resources()) {
      const domain =
        name === 'ROOTCA' ? own : name.startsWith('spiffe://') ? name.slice('spiffe://'.length) : undefined;
      const seen =
        kind === 'svid'
          ? svidInUse(contexts, this.#history)
          : domain === undefined
            ? undefined
            : bundleInUse(contexts, this.#history, domain);
      if (seen !== undefined) consumer.inUse(name, seen);
    }
  }

  /** Of `ALL` nothing can be seen: Envoy shows no certificates of its SPIFFE validator by trust domain. */
  #settled(consumer: ConsumerRecord): boolean {
    return consumer.resources().every(({ name, sent, inUse }) => name === 'ALL' || sent === inUse);
  }
}
