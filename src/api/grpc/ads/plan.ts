import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { type Held, type Holdings, isResource, type Resources } from './holdings.ts';
import type { Variant } from './push.ts';
import type { Refusals } from './refusals.ts';
import type { Subscription } from './subscription.ts';

/** What is known of a client in one type. */
export interface ChannelState {
  readonly variant: Variant;
  readonly subscription: Subscription;
  readonly refusals: Refusals;
  readonly has: Holdings;
  /** Delta: names of which the client was told that there is nothing. */
  readonly absent: Set<string>;
  /** To be sent even if the client has it. */
  readonly owed: Set<string>;
}

export interface Plan {
  readonly changed: readonly DiscoveryResource[];
  /** What the client has and should no longer have. */
  readonly gone: readonly string[];
  /** Delta: what it asked for and does not exist. */
  readonly absent: readonly string[];
}

/** What the client lacks of what there is, and has of what there is no more. */
export function planPush(state: ChannelState, all: Resources | undefined): Plan {
  const { absent: told, has, refusals, subscription, variant } = state;
  const trial = refusals.trial((name) => (subscription.wants(name) ? all?.get(name) : undefined));
  if (trial.length > 0) return { changed: trial, gone: [], absent: [] };
  const changed: DiscoveryResource[] = [];
  const gone: string[] = [];
  const absent: string[] = [];
  for (const name of candidates(state, all)) {
    if (!subscription.wants(name)) continue;
    const wanted = all?.get(name);
    const held = has.get(name);
    if (wanted) changed.push(...due(state, wanted, held));
    else if (held) gone.push(name);
    else if (variant === 'delta' && subscription.names.has(name) && !told.has(name)) absent.push(name);
  }
  return { changed, gone, absent };
}

/** The resource where the client lacks it; what it last accepted where it is owed one and refused the present one. */
function due(
  { owed, refusals }: ChannelState,
  wanted: DiscoveryResource,
  held: Held | undefined,
): readonly DiscoveryResource[] {
  const isOwed = owed.has(wanted.name);
  if (held?.version === wanted.version && !isOwed) return [];
  if (!refusals.keepsBack(wanted.name, wanted.version)) return [wanted];
  return isOwed && isResource(held) ? [held] : [];
}

/** The names of which something may have to be sent. */
function candidates(
  { has, owed, subscription }: ChannelState,
  all: Resources | undefined,
): ReadonlySet<string> {
  const suspects = has.suspects(all);
  if (suspects) return owed.size === 0 ? suspects : new Set([...suspects, ...owed]);
  const everything = subscription.wildcard ? (all?.keys() ?? []) : [];
  return new Set([...everything, ...subscription.names, ...has.names()]);
}
