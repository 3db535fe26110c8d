import { createHash } from 'node:crypto';
import type {
  ConnectedProxy,
  DiscoveryAnswer,
  DiscoveryResource,
  DiscoveryResources,
  DiscoverySession,
  DiscoverySource,
} from '../../src/domain/ports/index.ts';
import { CitadelError } from '../../src/kernel/index.ts';

export interface Sent {
  readonly typeUrl: string;
  readonly resources: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** One stream as the source saw it. */
export interface SeenSession {
  readonly proxy: ConnectedProxy;
  readonly sent: Sent[];
  /** By type URL. */
  readonly brought: Map<string, ReadonlyMap<string, string>>;
  readonly answers: DiscoveryAnswer[];
  open: boolean;
}

type Messages = Readonly<Record<string, Uint8Array | string>>;

/** Gives each SPIFFE ID what a test sets for it; unknown ones are refused. */
export class FakeDiscoverySource implements DiscoverySource {
  readonly sessions: SeenSession[] = [];
  readonly #resources = new Map<string, Map<string, ReadonlyMap<string, DiscoveryResource>>>();
  readonly #changed = new Map<string, Set<() => void>>();

  /** All resources of a type for a SPIFFE ID, in place of what there was. */
  set(spiffeId: string, typeUrl: string, messages: Messages): void {
    const types = this.#resources.get(spiffeId) ?? new Map<string, ReadonlyMap<string, DiscoveryResource>>();
    this.#resources.set(spiffeId, types);
    types.set(
      typeUrl,
      new Map(Object.entries(messages).map(([name, message]) => [name, resource(name, message)])),
    );
  }

  /** Tells the streams of a SPIFFE ID that there is something new. */
  notify(spiffeId: string): void {
    for (const changed of this.#changed.get(spiffeId) ?? []) changed();
  }

  /** Sets and tells. */
  push(spiffeId: string, typeUrl: string, messages: Messages): void {
    this.set(spiffeId, typeUrl, messages);
    this.notify(spiffeId);
  }

  /** Gives a second identity the very same objects, as a source does that shares what is the same. */
  share(from: string, to: string): void {
    this.#resources.set(to, this.#resources.get(from) ?? new Map());
  }

  open(proxy: ConnectedProxy, changed: () => void): DiscoverySession {
    const { spiffeId } = proxy;
    if (!this.#resources.has(spiffeId))
      throw new CitadelError('PermissionDenied', 'this identity has no workload here');
    const seen: SeenSession = { proxy, sent: [], brought: new Map(), answers: [], open: true };
    this.sessions.push(seen);
    const listeners = this.#changed.get(spiffeId) ?? new Set<() => void>();
    this.#changed.set(spiffeId, listeners);
    listeners.add(changed);
    return {
      resources: (): DiscoveryResources => this.#resources.get(spiffeId) ?? new Map(),
      sent: (typeUrl, resources, removed) => void seen.sent.push({ typeUrl, resources, removed }),
      brought: (typeUrl, resources) => void seen.brought.set(typeUrl, resources),
      answered: (answer) => void seen.answers.push(answer),
      close: () => {
        seen.open = false;
        listeners.delete(changed);
      },
    };
  }
}

export function resource(name: string, message: Uint8Array | string): DiscoveryResource {
  const value = typeof message === 'string' ? Buffer.from(message) : message;
  const version = createHash('sha256').update(value).digest('hex').slice(0, 12);
  return { name, version, value };
}
