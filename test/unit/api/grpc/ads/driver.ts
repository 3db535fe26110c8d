import { type DiscoveryLimits, defaultDiscoveryLimits } from '../../../../../src/api/grpc/ads/limits.ts';
import { DiscoveryMemory } from '../../../../../src/api/grpc/ads/memory.ts';
import type { Answered, Push, Variant } from '../../../../../src/api/grpc/ads/push.ts';
import type { DeltaRequest, SotwRequest } from '../../../../../src/api/grpc/ads/request.ts';
import { Session } from '../../../../../src/api/grpc/ads/session.ts';
import { resource } from '../../../../fakes/discovery-source.ts';

type Content = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Of either variant's fields the session reads its own. */
type Asked = Partial<Omit<SotwRequest, 'variant' | 'typeUrl'> & Omit<DeltaRequest, 'variant' | 'typeUrl'>>;

/** A session with what it serves, by hand: each request and each push is a step. */
export class Driver {
  now = 0;
  #session: Session;
  readonly #limits: DiscoveryLimits;
  readonly #memory = new DiscoveryMemory(() => this.now);
  #closeMemory: () => void = () => undefined;
  readonly #variant: Variant;
  #content = new Map<string, ReadonlyMap<string, ReturnType<typeof resource>>>();

  constructor(variant: Variant, content: Content, limits: Partial<DiscoveryLimits> = {}) {
    this.#variant = variant;
    this.#limits = { ...defaultDiscoveryLimits, ...limits };
    this.#session = this.#connect();
    this.serve(content);
  }

  get session(): Session {
    return this.#session;
  }

  #connect(): Session {
    const memory = this.#memory.open({ proxyKey: 'pod:uid-1', nodeId: 'web-1' });
    this.#closeMemory = () => memory.close();
    return new Session(this.#variant, this.#limits, memory);
  }

  /** The stream breaks, and the client opens another one; what was sent and not answered comes to nothing. */
  reconnect(): void {
    this.#closeMemory();
    this.#session = this.#connect();
  }

  /** Replaces the types named; the others stay the same. */
  serve(content: Content): void {
    const next = new Map(this.#content);
    for (const [typeUrl, resources] of Object.entries(content)) {
      next.set(
        typeUrl,
        new Map(Object.entries(resources).map(([name, text]) => [name, resource(name, text)])),
      );
    }
    this.#content = next;
  }

  ask(typeUrl: string, more: Asked = {}) {
    const common = { typeUrl, nonce: '', error: undefined };
    const request: SotwRequest | DeltaRequest =
      this.#variant === 'sotw'
        ? { variant: 'sotw', ...common, names: [], version: '', ...more }
        : { variant: 'delta', ...common, subscribe: [], unsubscribe: [], initial: new Map(), ...more };
    return this.#session.receive(request, this.#content, this.now);
  }

  next(): Push | undefined {
    return this.#session.next(this.#content, this.now);
  }

  /** The next push, which must be there. */
  push(): Push {
    const push = this.next();
    if (!push) throw new Error('there is no push');
    return push;
  }

  answer(
    { typeUrl, nonce }: Push,
    more: { names?: readonly string[]; error?: string } = {},
  ): Answered | undefined {
    return this.ask(typeUrl, { nonce, ...more });
  }

  /** All pushes until there is none, each accepted: `type: name=content ... -removed`. */
  settle(names: Readonly<Record<string, readonly string[]>> = {}): readonly string[] {
    const lines: string[] = [];
    for (let push = this.next(); push; push = this.next()) {
      lines.push(show(push));
      this.answer(push, { names: names[push.typeUrl] ?? [] });
    }
    return lines;
  }
}

export function show({ typeUrl, resources, removed }: Push): string {
  const given = resources.map(({ name, value }) => `${name}=${Buffer.from(value).toString()}`);
  return [`${typeUrl.split('.').at(-1)}:`, ...given, ...removed.map((name) => `-${name}`)].join(' ');
}
