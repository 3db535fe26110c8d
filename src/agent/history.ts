import type { AgentSnapshot } from './identity/identity.ts';

/** What this agent had in hand lately, oldest first, by what Envoy's admin shows of it: serial numbers. */
export interface History {
  readonly svids: readonly { readonly serial: string; readonly issuer: string }[];
  readonly bundles: readonly {
    readonly trustDomain: string;
    readonly version: string;
    /** Of its authorities, normalised and sorted. */
    readonly serials: readonly string[];
  }[];
}

const kept = 32;

/** The history with what the snapshot adds. */
export function extendHistory(history: History, { identity, bundles }: AgentSnapshot): History {
  const svids = [...history.svids];
  if (identity !== undefined) {
    const { serial, issuer } = identity;
    if (svids.at(-1)?.serial !== serial) svids.push({ serial, issuer });
  }
  const known = [...history.bundles];
  for (const { trustDomain, version, authorities } of bundles.values()) {
    const latest = known.findLast((each) => each.trustDomain === trustDomain);
    if (latest?.version === version) continue;
    known.push({ trustDomain, version, serials: serialSet(authorities.map((each) => each.serialNumber)) });
  }
  return { svids: svids.slice(-kept), bundles: known.slice(-kept) };
}

/** Lower-case hexadecimal without leading zeros: two programs may write the same number differently. */
export function normalSerial(serial: string): string {
  return serial
    .toLowerCase()
    .replaceAll(':', '')
    .replace(/^0+(?=.)/, '');
}

export function serialSet(serials: readonly string[]): string[] {
  return [...new Set(serials.map(normalSerial))].sort();
}
