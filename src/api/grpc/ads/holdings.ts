import type { DiscoveryResource } from '../../../domain/ports/index.ts';

export type Resources = ReadonlyMap<string, DiscoveryResource>;

/** What the client has of a name; only the version is known of what it brought from an earlier stream. */
export type Held = DiscoveryResource | { readonly version: string };

export function isResource(held: Held | undefined): held is DiscoveryResource {
  return held !== undefined && 'value' in held;
}

/**
 * What a client has of one type. Once it has all that there is for it, that is one reference to the source's own map, which
 * a thousand streams share, and what is different since is found once for all of them; only exceptions are kept by name.
 */
export class Holdings {
  readonly #wants: (name: string) => boolean;
  #base: Resources | undefined;
  /** Over the base; undefined: the client does not have it. */
  readonly #own = new Map<string, Held | undefined>();

  constructor(wants: (name: string) => boolean) {
    this.#wants = wants;
  }

  get(name: string): Held | undefined {
    if (this.#own.has(name)) return this.#own.get(name);
    return this.#base && this.#wants(name) ? this.#base.get(name) : undefined;
  }

  set(name: string, held: Held | undefined): void {
    if (held || this.#base) this.#own.set(name, held);
    else this.#own.delete(name);
  }

  /** The client has all that it wants of these, and nothing else. */
  settle(all: Resources | undefined): void {
    this.#base = all;
    this.#own.clear();
  }

  /** A wildcard begins: of what it had not asked for until now the client has nothing. */
  hideBut(names: ReadonlySet<string>): void {
    for (const name of this.#base?.keys() ?? []) if (!names.has(name)) this.set(name, undefined);
  }

  /** Names of which what the client has may differ from what there is, where that can be said without looking at all. */
  suspects(all: Resources | undefined): ReadonlySet<string> | undefined {
    if (!this.#base) return undefined;
    return new Set([...differences(this.#base, all), ...this.#own.keys()]);
  }

  /** Names that the client has, and some that it does not. */
  *names(): Iterable<string> {
    if (this.#base) yield* this.#base.keys();
    yield* this.#own.keys();
  }

  /** In the order of the names, each once. */
  resources(): readonly DiscoveryResource[] {
    return [...new Set(this.names())].map((name) => this.get(name)).filter(isResource);
  }
}

const empty: Resources = new Map();
const computed = new WeakMap<
  Resources,
  { readonly to: WeakRef<Resources>; readonly names: readonly string[] }
>();

/** Names that are not the same in both; one computation serves all streams that go from one map to the other. */
function differences(from: Resources, to: Resources = empty): readonly string[] {
  if (from === to) return [];
  const known = computed.get(from);
  if (known?.to.deref() === to) return known.names;
  const changed = [...to.values()].filter(({ name, version }) => from.get(name)?.version !== version);
  const gone = [...from.keys()].filter((name) => !to.has(name));
  const names = [...changed.map(({ name }) => name), ...gone];
  computed.set(from, { to: new WeakRef(to), names });
  return names;
}
