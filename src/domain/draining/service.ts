import type { Clock, Log } from '../../kernel/index.ts';
import { isServersOwn } from '../issuance/index.ts';
import type { AuditLog, AuthorityRecord, DrainOrder, Store } from '../ports/index.ts';
import type { RevocationStatus } from '../revocation/index.ts';
import { liveProxies } from '../rotation/index.ts';
import { dueDrains, pendingDrains } from './due.ts';

export interface DrainServiceOptions {
  readonly store: Pick<Store, 'drains' | 'issuance' | 'adoption'>;
  readonly audit: AuditLog;
  readonly authorities: () => readonly AuthorityRecord[];
  /** Content version of the present bundle. */
  readonly bundleVersion: () => string;
  readonly revocations: () => Pick<RevocationStatus, 'certificates' | 'authorities' | 'enforcement'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DrainService {
  start(): Promise<void>;
  /** Orders what is due; safe to repeat. */
  tick(): Promise<void>;
  /** Grows with each order: what proxies have of an earlier one drains. Zero: there was none. */
  generation(): number;
  /** Called when that grows. @returns the way to stop it */
  onDrain(listener: () => void): () => void;
}

/** Milliseconds between two looks at who is ready, which read every valid certificate. */
const lookEvery = 2_000;

export function createDrainService(options: DrainServiceOptions): DrainService {
  const { store, audit, clock, log } = options;
  const listeners = new Set<() => void>();
  let orders: readonly DrainOrder[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  const taintSeen = new Map<string, Date>();

  return {
    async start() {
      orders = await store.drains.list();
    },
    async tick() {
      const now = clock.now();
      const known = new Set(orders.map(({ cause }) => cause));
      const { enforcement, ...revoked } = options.revocations();
      const pending = pendingDrains(known, options.authorities(), revoked, now);
      if (pending.tainted.length === 0 && pending.revoked.size === 0) return;
      for (const { fingerprint } of pending.tainted)
        if (!taintSeen.has(fingerprint)) taintSeen.set(fingerprint, now);
      if (now.getTime() - lookedAt < lookEvery) return;
      lookedAt = now.getTime();
      const [leaves, reports] = await Promise.all([store.issuance.liveLeaves(now), store.adoption.list()]);
      const others = leaves.filter((leaf) => !isServersOwn(leaf));
      const proxies = liveProxies(others, reports, now);
      const due = dueDrains(pending, {
        known,
        proxies,
        enforcement,
        bundleVersion: options.bundleVersion(),
        taintSeen,
        now,
      });
      for (const { name, reason } of due) {
        // First on record: who is cut off here does it again, and is on record twice, never not at all.
        await audit.append({
          at: now,
          action: 'connections.drain',
          outcome: 'allowed',
          subject: 'server',
          proof: 'none',
          target: name,
          reason,
          details: {},
        });
        const order = await store.drains.add(name, now);
        log.info('proxies are told to end what is open', { generation: order.generation, reason });
        orders = [...orders, order];
      }
      if (due.length > 0) for (const listener of listeners) listener();
    },
    generation: () => orders.at(-1)?.generation ?? 0,
    onDrain(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
