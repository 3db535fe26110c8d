import type { Random } from './random.ts';

export type Attribute =
  | 'identity'
  | 'namespace'
  | 'serviceAccount'
  | 'trustDomain'
  | 'metadata'
  | 'sourceIp'
  | 'remoteIp'
  | 'destinationIp'
  | 'port'
  | 'host'
  | 'method'
  | 'path'
  | 'sni'
  | 'header'
  | 'issuer'
  | 'subject'
  | 'claim';

/** What one set of policies was made around, so that requests can be aimed at it. */
export class Bases {
  readonly #of = new Map<Attribute, string[]>();

  draw(random: Random, attribute: Attribute, from: readonly string[]): string {
    const base = random.pick(from);
    this.#of.set(attribute, [...(this.#of.get(attribute) ?? []), base]);
    return base;
  }

  /** Something that the policies were made around, or anything. */
  aim(random: Random, attribute: Attribute, from: readonly string[]): string {
    const own = this.#of.get(attribute) ?? [];
    return own.length > 0 && random.chance(0.65) ? random.pick(own) : random.pick(from);
  }
}
