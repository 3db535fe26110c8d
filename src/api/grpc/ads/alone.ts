import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import type { Doubts } from './doubts.ts';
import type { Held, Resources } from './holdings.ts';
import type { ChannelState } from './plan.ts';
import { type Recalled, recall } from './recall.ts';
import type { Request } from './request.ts';

/** What a type needs besides whose resources go alone; TypeRules say why. */
export class Alone {
  readonly #state: ChannelState;
  readonly #doubts: Doubts;
  /** Names that the client is to forget before they are tried again: of what it was sent it may have refused any. */
  readonly #toForget = new Set<string>();
  readonly #toRestore = new Map<string, DiscoveryResource>();
  #isOneByOne: boolean;
  #recalled: Recalled['refused'] = new Map();

  constructor(state: ChannelState, doubts: Doubts) {
    this.#state = state;
    this.#doubts = doubts;
    this.#isOneByOne = state.variant === 'sotw';
  }

  /** What it refused on an earlier stream, and is not sent again. */
  get recalled(): Recalled['refused'] {
    return this.#recalled;
  }

  recall(request: Request, all: Resources | undefined): void {
    const { restore, forget, refused } = recall(this.#doubts, request, this.#state, all);
    for (const resource of restore) this.#toRestore.set(resource.name, resource);
    for (const name of forget) this.#toForget.add(name);
    this.#recalled = refused;
  }

  /** What is to be removed before anything is sent; it counts as sent. */
  takeForgotten(): readonly string[] {
    const forgotten = [...this.#toForget];
    this.#toForget.clear();
    return forgotten;
  }

  /** What is to be sent before anything else. */
  get restored(): DiscoveryResource | undefined {
    const [first] = this.#toRestore.values();
    return first;
  }

  /** What of this may go in one push. */
  part(changed: readonly DiscoveryResource[]): readonly DiscoveryResource[] {
    const isFirst = !this.#isOneByOne && changed.every(({ name }) => this.#state.has.get(name) === undefined);
    return isFirst ? changed : changed.slice(0, 1);
  }

  /** @param held what the client has now */
  sending(resource: DiscoveryResource, held: Held | undefined): void {
    this.#doubts.sending(resource, held);
    this.#toRestore.delete(resource.name);
  }

  accepted(
    {
      resources,
      removed,
    }: { readonly resources: readonly DiscoveryResource[]; readonly removed: readonly string[] },
    all: Resources | undefined,
  ): void {
    this.#doubts.accepted(resources, all);
    for (const name of removed) this.#doubts.forget(name);
  }

  /** @returns whether these were refused together, so that it is not known which of them */
  refused(versions: ReadonlyMap<string, string>, error: string): boolean {
    const together = versions.size > 1;
    this.#doubts.refused(versions, together ? undefined : error);
    if (!together) return false;
    for (const name of versions.keys()) this.#toForget.add(name);
    this.#isOneByOne = true;
    return true;
  }

  unsubscribed(name: string): void {
    this.#doubts.forget(name);
    this.#toForget.delete(name);
    this.#toRestore.delete(name);
  }
}
