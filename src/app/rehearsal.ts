import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AuthorityService } from '../domain/authority/index.ts';
import { createRehearsal, type HandOut, type Rehearsal } from '../domain/rotation/index.ts';
import type { Clock, Entropy, Log } from '../kernel/index.ts';
import { backoffDelay, describeError, isCitadelError } from '../kernel/index.ts';
import { givenRoots, newRoot, type UpstreamOptions } from './upstream.ts';

/** Rehearsals of a rotation, over the homes that the configuration names and the agent's own code. */
export function rehearsalOf(
  options: UpstreamOptions,
  authority: Pick<AuthorityService, 'bundle'>,
): Rehearsal {
  const { config, serverId, store, homes, clock, entropy, log } = options;
  // Where the configuration has a place for sockets, whose path is short enough.
  const socket = join(dirname(config.listen.operatorSocket), 'rehearse.sock');
  const trustDomain = config.trustDomain.name;
  const handOut: HandOut = Object.assign(
    async (reply: Parameters<HandOut>[0]) => {
      const { readBackBySds } = await import('../agent/index.ts');
      return readBackBySds({ ...reply, trustDomain, socket }, { clock, log });
    },
    {
      async clear() {
        for (const path of [socket, `${socket}.new`]) await rm(path, { force: true });
      },
    },
  );
  return createRehearsal({
    trustDomain,
    serverId,
    newKeys: homes.root,
    issuingKeys: homes.issuing,
    algorithms: { root: newRoot(config).algorithm, issuing: config.authority.issuing.algorithm },
    given: givenRoots(options),
    store: store.authorities,
    leafTtl: config.certificate.defaultTtl,
    bundle: () => authority.bundle(),
    handOut,
    audit: store.audit,
    clock,
    entropy,
    log,
  });
}

const backoff = { baseMilliseconds: 1000, maximumMilliseconds: 300_000 };

/** Clears away, once, what a rehearsal left that was cut off; for as long as its home is away, tries again. */
export async function clearRehearsals(
  rehearsal: Pick<Rehearsal, 'clear'>,
  { clock, entropy, log, signal }: { clock: Clock; entropy: Entropy; log: Log; signal: AbortSignal },
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return await rehearsal.clear();
    } catch (error) {
      const isAway = isCitadelError(error, 'Unavailable') || isCitadelError(error, 'DeadlineExceeded');
      if (failures === 0 || !isAway)
        log.warn('what a rehearsal may have left cannot be cleared away yet', {
          cause: describeError(error),
          again: isAway,
        });
      // What is refused stays so until somebody mends it: the next rehearsal or start looks again.
      if (!isAway) return;
    }
    await clock.sleep(backoffDelay(failures, backoff, entropy), signal).catch(() => {});
  }
}
