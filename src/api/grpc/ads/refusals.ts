import type { DiscoveryResource } from '../../../domain/ports/index.ts';

type Versions = ReadonlyMap<string, string>;

/** Pushes spent on finding which of a refused push's resources it was; then all that are left count as refused. */
const longestSearch = 32;

/**
 * What a client refused of one type. A NACK is of a whole response; which resource it was is read from the text where
 * Envoy says it, and else found by sending halves again, so that one broken resource keeps back no other.
 */
export class Refusals {
  readonly #refused = new Map<string, string>();
  readonly #groups: Versions[] = [];
  #budget = 0;

  /** Whether this version must not be sent now. */
  keepsBack(name: string, version: string): boolean {
    return this.#refused.get(name) === version || this.#groups.some((group) => group.get(name) === version);
  }

  /** Whether any of these must not be sent now. */
  keepBackAnyOf(all: ReadonlyMap<string, DiscoveryResource> | undefined): boolean {
    return [this.#refused, ...this.#groups].some((versions) =>
      [...versions].some(([name, version]) => all?.get(name)?.version === version),
    );
  }

  /** The part of a refused push that is to be tried now, on its own. What changed meanwhile is under suspicion no more. */
  trial(current: (name: string) => DiscoveryResource | undefined): readonly DiscoveryResource[] {
    for (;;) {
      const [group] = this.#groups;
      if (!group) return [];
      const members = [...group].flatMap(([name, version]) => {
        const resource = current(name);
        return resource?.version === version ? [resource] : [];
      });
      if (members.length > 0) return members;
      this.#groups.shift();
    }
  }

  /** @param all what there is: another version that is accepted, as the one before, takes no refusal back */
  accepted(versions: Versions, all: ReadonlyMap<string, DiscoveryResource> | undefined): void {
    for (const [name, version] of versions)
      if (all?.get(name)?.version === version) this.#refused.delete(name);
    this.#endTrial(versions);
  }

  /** @returns those of `changed` that count as refused, for the time being where a search begins */
  nacked(changed: Versions, error: string): Versions {
    const searching = this.#endTrial(changed);
    // Envoy cuts long texts, and with them names.
    const whole = !error.endsWith('(truncated)');
    const named = new Map([...changed].filter(([name]) => whole && names(error, name)));
    const suspects = named.size > 0 ? named : changed;
    if (!searching) this.#budget = longestSearch;
    const parts = suspects.size > 1 && this.#budget >= 2 ? halves(suspects) : [];
    this.#budget -= parts.length;
    this.#groups.unshift(...parts);
    if (parts.length === 0) for (const [name, version] of suspects) this.#refused.set(name, version);
    return suspects;
  }

  /** Of an earlier stream. */
  recall(name: string, version: string): void {
    this.#refused.set(name, version);
  }

  forget(name: string): void {
    this.#refused.delete(name);
  }

  #endTrial(versions: Versions): boolean {
    const [group] = this.#groups;
    if (
      !group ||
      versions.size === 0 ||
      ![...versions].every(([name, version]) => group.get(name) === version)
    )
      return false;
    this.#groups.shift();
    return true;
  }
}

function halves(versions: Versions): readonly Versions[] {
  const entries = [...versions];
  const middle = Math.ceil(entries.length / 2);
  return [new Map(entries.slice(0, middle)), new Map(entries.slice(middle))];
}

/** As Envoy writes it: `Error adding/updating listener(s) NAME: REASON`, several on lines or after commas. */
function names(error: string, name: string): boolean {
  for (let at = error.indexOf(`${name}: `); at >= 0; at = error.indexOf(`${name}: `, at + 1)) {
    if (/(?:\(s\) |\n|, )$/.test(error.slice(Math.max(0, at - 4), at))) return true;
  }
  return false;
}
