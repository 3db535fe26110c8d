import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import { type Doubt, type Doubts, type Refusal, toRestore } from './doubts.ts';
import { isResource, type Resources } from './holdings.ts';
import type { ChannelState } from './plan.ts';
import type { Request } from './request.ts';
import { hashOf } from './versions.ts';

export interface Recalled {
  /** To be sent before anything else: what came after it is what the client remembers, and may not be what it uses. */
  readonly restore: readonly DiscoveryResource[];
  /** What it uses nothing of, and is to forget before it is tried again. */
  readonly forget: readonly string[];
  /** What it refused of what there is, version and its words by name. */
  readonly refused: ReadonlyMap<string, Refusal>;
}

/**
 * Brings what is remembered of an earlier stream into the state of a type.
 * @param request the first one of the type on this stream
 * @param all what there is
 */
export function recall(
  doubts: Doubts,
  request: Request,
  state: ChannelState,
  all: Resources | undefined,
): Recalled {
  const restore: DiscoveryResource[] = [];
  const forget: string[] = [];
  const refused = new Map<string, Refusal>();
  for (const [name, doubt] of doubts.entries()) {
    // Whoever says otherwise has heard something else meanwhile, from another server perhaps.
    if (!state.subscription.wants(name) || !isAsLeft(name, doubt, request)) {
      doubts.forget(name);
      continue;
    }
    const { kept, sent, refused: refusal } = doubt;
    const last = toRestore(doubt);
    if (isResource(kept)) state.has.set(name, kept);
    if (last) restore.push(last);
    if (refusal) {
      state.refusals.recall(name, refusal.version);
      if (all?.get(name)?.version === refusal.version) refused.set(name, refusal);
    } else if (request.variant === 'delta' && !kept && sent !== undefined) forget.push(name);
  }
  return { restore, forget, refused };
}

/** Whether the client has of a name what it had when its stream ended, as far as its request says. */
function isAsLeft(name: string, { kept, sent, refused }: Doubt, request: Request): boolean {
  if (request.variant === 'delta') return request.initial.get(name) === kept?.version;
  // A state of the world says the version of the last response that it accepted, and each of these is of one name.
  return refused !== undefined || sent === undefined || request.version !== hashOf([{ name, version: sent }]);
}
