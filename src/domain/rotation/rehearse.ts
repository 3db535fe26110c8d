import { createHash } from 'node:crypto';
import { type Clock, type Entropy, inTurn, type Log, type Secret } from '../../kernel/index.ts';
import type { KeyAlgorithm } from '../../pki/index.ts';
import type { AuditLog, AuthorityStore, GivenRootSource, KeyManager } from '../ports/index.ts';
import type { TrustBundleSnapshot } from '../trust/index.ts';
import type { FindGivenRoot } from './given-root.ts';
import type { RotationOrder } from './order.ts';
import { rehearseGiven } from './rehearse-given.ts';
import { rehearseMade } from './rehearse-made.ts';
import type { RehearsedScene } from './rehearsed-scene.ts';
import { type RehearsedStep, Steps } from './rehearsed-steps.ts';
import { throwawayValidity } from './throwaway.ts';

/** What a rehearsal puts on record: before it makes a key, before it clears one away that was left, and at its end. */
export const rehearsalActions = [
  'rotation.rehearse',
  'rotation.rehearse.clear',
  'rotation.rehearse.end',
] as const;
type RehearsalAction = (typeof rehearsalActions)[number];

export interface RehearsalOptions {
  readonly trustDomain: string;
  /** Names the throwaway keys: replicas that share a key home clear away their own alone. */
  readonly serverId: string;
  /** The home in which a new root's key is made. */
  readonly newKeys: () => Promise<KeyManager>;
  readonly issuingKeys: KeyManager;
  /** Of the new root's key, where nothing else is asked for, and of issuing keys. */
  readonly algorithms: { readonly root: KeyAlgorithm; readonly issuing: KeyAlgorithm | undefined };
  /** A root that others have made, and what is known of roots here. */
  readonly given: FindGivenRoot;
  readonly store: Pick<AuthorityStore, 'list' | 'save'>;
  /** Of leaves, milliseconds. */
  readonly leafTtl: number;
  readonly bundle: () => TrustBundleSnapshot;
  readonly handOut: HandOut;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Gives a certificate and a bundle to a client as an agent does, and takes back what arrived. */
export interface HandOut {
  /**
   * @param reply.certChain PEM: the leaf, what is between it and its root, all roots of the bundle in the last element
   * @returns PEM of the chain and of the bundle as the client has them
   */
  (reply: {
    readonly certChain: readonly string[];
    /** Of the leaf, PKCS#8 PEM. */
    readonly key: Secret<string>;
  }): Promise<{ readonly chain: string; readonly bundle: string; readonly acceptedVersion: string }>;
  /** Removes what an earlier one that was cut off has left. */
  clear(): Promise<void>;
}

export interface RehearsalOrder extends RotationOrder {
  /** Of the root's key that would be made. */
  readonly algorithm?: KeyAlgorithm;
  /** Whose root it would be; absent: one that is made here. */
  readonly from?: GivenRootSource;
}

export interface RehearsalReport {
  readonly steps: readonly RehearsedStep[];
  readonly ok: boolean;
}

export interface Rehearsal {
  /** Does each step, whatever becomes of those before it that it does not need. Never throws for a step. */
  rehearse(order: RehearsalOrder): Promise<RehearsalReport>;
  /** Destroys throwaway keys that a rehearsal of this server has left, as one that was killed. @throws CitadelError */
  clear(): Promise<void>;
}

/** The key operations of a whole rotation with throwaway keys, in the same homes and by the same permissions. */
export function createRehearsal(options: RehearsalOptions): Rehearsal {
  const { audit, clock, entropy, log } = options;
  const owner = createHash('sha256').update(options.serverId).digest('hex').slice(0, 8);
  const prefix = `rehearsal-${owner}-`;
  const oneAtATime = inTurn();

  async function note(
    action: RehearsalAction,
    order: RotationOrder,
    target: string,
    details: Record<string, string>,
  ) {
    log.info(action, { target, ...details });
    const { by, proof, reason } = order;
    await audit.append({
      at: clock.now(),
      action,
      outcome: 'allowed',
      subject: by,
      proof,
      target,
      reason,
      details,
    });
  }

  async function clearHome(keys: KeyManager): Promise<void> {
    for (const { id } of await keys.list()) {
      if (!id.startsWith(prefix)) continue;
      const order = {
        by: 'server',
        proof: 'none',
        reason: 'a rehearsal was cut off, or could not destroy it',
      };
      await note('rotation.rehearse.clear', order, id, { keyBackend: keys.backend });
      await keys.destroy(id);
    }
  }

  async function run(order: RehearsalOrder): Promise<RehearsalReport> {
    const name = Buffer.from(entropy.bytes(6)).toString('hex');
    const ids = { root: `${prefix}${name}-root`, issuing: `${prefix}${name}-issuing` };
    const algorithm = order.algorithm ?? options.algorithms.root;
    // First on record: whoever is cut off below leaves keys of these names, which the next start looks for.
    await note('rotation.rehearse', order, ids.root, {
      issuingKey: ids.issuing,
      ...(order.from === undefined ? { algorithm } : { from: order.from }),
    });
    // One for all: a leaf must not outlive what is above it.
    const validity = throwawayValidity(clock.now());
    const steps = new Steps();
    const scene: RehearsedScene = { ...options, steps, ids, algorithm, validity, clearHome };
    await (order.from === undefined ? rehearseMade(scene) : rehearseGiven(order.from, scene));
    const report = { steps: steps.list, ok: steps.list.every(({ result }) => result === 'done') };
    const failed = steps.list.filter(({ result }) => result === 'failed').map((step) => step.name);
    await note('rotation.rehearse.end', order, ids.root, {
      ok: String(report.ok),
      failed: failed.join(', '),
    });
    return report;
  }

  return {
    rehearse: (order) => oneAtATime(() => run(order)),
    clear: () =>
      oneAtATime(async () => {
        await options.handOut.clear();
        await clearHome(options.issuingKeys);
        await clearHome(await options.newKeys());
      }),
  };
}
