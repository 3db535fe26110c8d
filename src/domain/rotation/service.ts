import { CitadelError, type Entropy, inTurn, type Log } from '../../kernel/index.ts';
import type { KeyAlgorithm } from '../../pki/index.ts';
import type { AuthorityService } from '../authority/index.ts';
import type { AuditLog, RootRotation, RotationPhase, RotationWord, Store } from '../ports/index.ts';
import { planCanary } from './canary.ts';
import { collectEvidence } from './collect-evidence.ts';
import { requireCrossSigner } from './cross-sign.ts';
import { tookEffect } from './decide.ts';
import { type EffectPorts, signersOf } from './effects.ts';
import { type Gate, gateOf } from './gate.ts';
import { resolveWanted } from './given-root.ts';
import { requireOffered, requireVerifiers, whoAll } from './new-root.ts';
import { keysLeft, type LeftKey } from './old-keys.ts';
import { byItself, type RotationOrder } from './order.ts';
import { createPace } from './pace.ts';
import { createPlanning, type PlanningOptions, type RotationPlan, type WantedRoot } from './planning.ts';
import { createProgress } from './progress.ts';
import { unableToVerify } from './verifiers.ts';
import { whyWaiting } from './why-waiting.ts';
import { requireCrls } from './without-crls.ts';
import { type SpokenWords, spokenWords, wordActions } from './words.ts';

export interface RotationServiceOptions
  extends Omit<EffectPorts, 'store'>,
    Pick<PlanningOptions, 'homes' | 'outside' | 'isRevoking'> {
  readonly store: Pick<Store, 'rotations' | 'authorities' | 'issuance' | 'adoption'>;
  readonly audit: AuditLog;
  readonly authority: Pick<AuthorityService, 'tick'>;
  /** Of new roots, where an operator says nothing else. Lifetime in milliseconds. */
  readonly defaults: { readonly algorithm: KeyAlgorithm; readonly lifetime: number };
  /** Whether roots of ML-DSA, an experiment, may be made. */
  readonly mlDsaAuthorities?: boolean;
  /** Of leaves, milliseconds; for plans. */
  readonly leafTtl: number;
  /** See RotationEvidence. */
  readonly refusals?: (proxyKey: string) => string | undefined;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface RotationStatus {
  /** The one under way, or else the last one. */
  readonly rotation: RootRotation | undefined;
  /** Fingerprint; empty: there is none. */
  readonly activeRoot: string;
  /** What the present phase waits for; undefined where it waits for nothing. */
  readonly gate: Gate | undefined;
  /** What kept the last try from being done, as a key home that is away. */
  readonly obstacle: string | undefined;
  /** Keys that stay in their homes when the rotation ends, or have stayed. */
  readonly keysLeft: readonly LeftKey[];
}

export interface RotationService {
  /** The one under way, without a look at who is ready: that reads every valid certificate. */
  current(): Promise<RootRotation | undefined>;
  status(): Promise<RotationStatus>;
  /** What a rotation would wait for if it began now, and what would be changed. @throws as Planning does */
  plan(wanted?: WantedRoot): Promise<RotationPlan>;
  /**
   * Begins: the new root is made and enters the bundle; nothing signs with it yet.
   * @param order.oldRoot fingerprint of the root that the operator saw active
   * @param order.plan token of the plan that the operator saw
   * @param order.force begins although some cannot verify the new root's algorithm; `distribute` waits for them all the same
   * @throws CitadelError FailedPrecondition, Aborted where the active root, or what else the plan was made of, is
   *   another one by now
   */
  start(
    order: RotationOrder &
      WantedRoot & {
        readonly oldRoot: string;
        readonly plan?: string;
        readonly force?: boolean;
        /** Begins although proxies are given no CRL any more once the new root's issuing authority signs. */
        readonly withoutCrls?: boolean;
      },
  ): Promise<RotationStatus>;
  /**
   * Ends the phase that the operator saw, where evidence permits it, or where `force` is given. What else is said is kept.
   * @throws CitadelError FailedPrecondition with what is missing; Aborted where the phase is another one by now
   */
  continue(order: RotationOrder & SpokenWords & { readonly phase: RotationPhase }): Promise<RotationStatus>;
  /** Leaves one proxy out of account, for good. @throws CitadelError NotFound where no gate waits for it */
  excuse(order: RotationOrder & { readonly proxyKey: string }): Promise<RotationStatus>;
  /** Goes back to the old root. @throws CitadelError FailedPrecondition once that has left the bundle */
  abort(order: RotationOrder & { readonly phase: RotationPhase }): Promise<RotationStatus>;
  /** Does what needs no operator: what was begun, and phases that end by themselves. Safe to repeat. */
  tick(): Promise<void>;
}

export function createRotationService(options: RotationServiceOptions): RotationService {
  const { store, audit, authority, clock, entropy, log } = options;
  const effects: EffectPorts = { ...options, store: store.authorities };
  /** One order at a time: two operators at once see each other's. */
  const oneAtATime = inTurn();
  const pace = createPace(clock);
  const planning = createPlanning(options);
  const resolved = <T extends WantedRoot>(wanted: T): Promise<T> =>
    resolveWanted(wanted, effects, { now: clock.now(), leafTtl: options.leafTtl });
  const evidence = () => collectEvidence(options);
  const progress = createProgress({ store, audit, authority, effects, evidence, clock, log });
  const { note, enter, run } = progress;

  const findActiveRoot = async () =>
    (await store.authorities.list()).find(({ kind, state }) => kind === 'root' && state === 'active');

  async function underWay(phase?: RotationPhase): Promise<RootRotation> {
    const rotation = await store.rotations.current();
    if (!rotation) throw new CitadelError('FailedPrecondition', 'no rotation is under way');
    if (phase !== undefined && phase !== rotation.phase)
      throw new CitadelError(
        'Aborted',
        `the rotation is in phase ${rotation.phase} by now, not ${phase}: look at its status again`,
      );
    return rotation;
  }

  async function status(): Promise<RotationStatus> {
    const rotation = (await store.rotations.current()) ?? (await store.rotations.list(1))[0];
    const activeRoot = (await findActiveRoot())?.fingerprint ?? '';
    if (!rotation) return { rotation, activeRoot, gate: undefined, obstacle: undefined, keysLeft: [] };
    const { phase, oldRoot, newRoot } = rotation;
    const waits = phase !== 'prepare' && phase !== 'done' && phase !== 'aborted';
    const goes = phase === 'undo' || phase === 'aborted' ? newRoot : oldRoot;
    return {
      rotation,
      activeRoot,
      gate: waits ? gateOf(rotation, phase, await evidence()) : undefined,
      obstacle: phase === 'done' || phase === 'aborted' ? undefined : progress.obstacle,
      keysLeft: keysLeft(rotation, signersOf(await store.authorities.list(), goes)),
    };
  }

  async function addWord(rotation: RootRotation, word: RotationWord): Promise<RootRotation> {
    const changed = { ...rotation, words: [...rotation.words, word] };
    await store.rotations.save(changed);
    return changed;
  }

  return {
    current: () => store.rotations.current(),
    status,
    plan: async (wanted = {}) => planning.plan(await evidence(), await resolved(wanted)),
    start: (ordered) =>
      oneAtATime(async () => {
        const current = await store.rotations.current();
        if (current) {
          throw new CitadelError(
            'FailedPrecondition',
            `a rotation is under way since ${current.startedAt.toISOString()}, begun by ${current.startedBy}: end or abort it first`,
          );
        }
        const root = await findActiveRoot();
        if (!root) throw new CitadelError('FailedPrecondition', 'there is no active root to rotate');
        const order = await resolved(ordered);
        if (root.fingerprint !== order.oldRoot)
          throw new CitadelError('Aborted', 'the active root is another one by now: look at the plan again');
        if (order.plan !== undefined) planning.requireSame(order.plan, await store.authorities.list(), order);
        const lifetime = order.lifetime ?? options.defaults.lifetime;
        if (lifetime <= options.leafTtl)
          throw new CitadelError(
            'InvalidArgument',
            `a root must outlive the certificates under it, which live for ${options.leafTtl / 1000} s`,
          );
        const { algorithm = options.defaults.algorithm, crossSign = false } = order;
        await requireOffered(algorithm, options);
        if (crossSign) await requireCrossSigner(root, options, order.given?.below);
        const noCrls = order.given?.noCrls;
        const { withoutCrls: accepted = false } = order;
        requireCrls(noCrls, { isRevoking: options.isRevoking?.() ?? false, accepted });
        const seen = await evidence();
        const cutOff = unableToVerify(algorithm, seen.proxies, options.outside);
        if (!order.force) requireVerifiers(algorithm, cutOff);
        const now = clock.now();
        const id = Buffer.from(entropy.bytes(8)).toString('hex');
        const { by, reason } = order;
        const rotation: RootRotation = {
          id,
          phase: 'prepare',
          phaseSince: now,
          oldRoot: root.fingerprint,
          newRoot: undefined,
          ...(order.given && { given: { from: order.given.from, fingerprint: order.given.fingerprint } }),
          algorithm,
          lifetime,
          crossSign,
          startedAt: now,
          startedBy: by,
          reason,
          words: [
            ...(cutOff.length > 0 ? ['start'] : []),
            ...(noCrls === undefined ? [] : ['without-crls']),
          ].map((target) => ({ kind: 'force', target, by, reason, at: now })),
          canary: order.canary && planCanary(id, order.canary, seen),
        };
        await note('rotation.start', order, rotation, {
          ...rotation.given,
          algorithm,
          ...(crossSign ? { crossSigned: 'true' } : {}),
          ...(noCrls === undefined ? {} : { withoutCrls: noCrls }),
          ...(cutOff.length > 0 ? { forcedAgainst: whoAll(cutOff) } : {}),
          ...(order.canary ? { canary: order.canary.selectors.join(' ') } : {}),
        });
        await store.rotations.save(rotation);
        await run(rotation, order, 'no');
        return status();
      }),
    continue: (order) =>
      oneAtATime(async () => {
        let rotation = await underWay(order.phase);
        const { by, reason } = order;
        for (const word of spokenWords(order, rotation, await store.authorities.list())) {
          await note(wordActions[word.kind], order, rotation, { target: word.target });
          rotation = await addWord(rotation, { ...word, by, reason, at: clock.now() });
        }
        const gate = await run(rotation, order, order.force ? 'byForce' : 'byEvidence');
        const after = await status();
        if (gate && after.rotation?.phase === rotation.phase)
          throw new CitadelError('FailedPrecondition', whyWaiting(rotation, gate));
        return after;
      }),
    excuse: (order) =>
      oneAtATime(async () => {
        const rotation = await underWay();
        const { gate } = await status();
        const waited = [...(gate?.stragglers ?? []), ...(gate?.unproven ?? [])];
        const excused = waited.find(({ proxy }) => proxy.proxyKey === order.proxyKey);
        if (!excused)
          throw new CitadelError('NotFound', 'the rotation does not wait for a proxy of this key');
        const { by, reason, proxyKey } = order;
        await note('rotation.excuse', order, rotation, {
          proxyKey,
          workload: excused.proxy.spiffeId,
          standing: `${excused.standing}: ${excused.detail}`,
        });
        await addWord(rotation, { kind: 'excuse', target: proxyKey, by, reason, at: clock.now() });
        return status();
      }),
    abort: (order) =>
      oneAtATime(async () => {
        const rotation = await underWay(order.phase);
        // What is stored counts: a server may have been cut off between this and the phase.
        const old = (await store.authorities.list()).find(
          ({ fingerprint }) => fingerprint === rotation.oldRoot,
        );
        if (rotation.phase === 'retire' || old?.state === 'retired')
          throw new CitadelError(
            'FailedPrecondition',
            'the old root has left the bundle already; go on, and rotate anew if the new root is unwanted',
          );
        if (old?.tainted && old.state !== 'active')
          throw new CitadelError(
            'FailedPrecondition',
            'the old root is tainted and is not to sign again; go on, and rotate anew if the new root is unwanted',
          );
        await note('rotation.abort', order, rotation);
        // First the phase, then its effect: a server that is cut off here goes back all the same.
        await run(await enter(rotation, 'undo'), order, 'no');
        return status();
      }),
    tick: () =>
      oneAtATime(async () => {
        const rotation = await store.rotations.current();
        if (!rotation) return;
        const waits = rotation.phase === 'distribute' || rotation.phase === 'drain';
        if (waits && !tookEffect(rotation, await store.authorities.list())) return;
        await pace.look(async () => void (await run(rotation, byItself, 'no')));
      }),
  };
}
