import { type Clock, describeError, type Log, toCitadelError } from '../../kernel/index.ts';
import type { AuthorityService } from '../authority/index.ts';
import type { AuditLog, RootRotation, RotationPhase, Store } from '../ports/index.ts';
import { watchCanary } from './canary.ts';
import { type Asked, decideRotation } from './decide.ts';
import { activateOldRoot, applyEffect, type EffectPorts, makeNewRoot, signersOf } from './effects.ts';
import type { Gate, RotationEvidence } from './gate.ts';
import { keysLeft } from './old-keys.ts';
import { byItself, type RotationOrder } from './order.ts';
import { enterPhase, noteRotation } from './record.ts';

export interface ProgressPorts {
  readonly store: Pick<Store, 'rotations' | 'authorities'>;
  readonly audit: AuditLog;
  readonly authority: Pick<AuthorityService, 'tick'>;
  readonly effects: EffectPorts;
  readonly evidence: () => Promise<RotationEvidence>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes a rotation from phase to phase. One at a time: the caller sees to that. */
export interface Progress {
  /** What kept the last try from being done. */
  readonly obstacle: string | undefined;
  /** Puts an order on record. */
  readonly note: (
    action: string,
    order: RotationOrder,
    rotation: RootRotation,
    more?: Readonly<Record<string, string>>,
  ) => Promise<void>;
  readonly enter: (rotation: RootRotation, phase: RotationPhase) => Promise<RootRotation>;
  /** Goes on until something is waited for, and keeps what it failed by. @returns what is waited for */
  readonly run: (rotation: RootRotation, order: RotationOrder, asked: Asked) => Promise<Gate | undefined>;
}

/** Longest way without an operator: make, then a canary, then distribute. */
const mostSteps = 5;

export function createProgress(ports: ProgressPorts): Progress {
  const { store, authority, effects, evidence, log } = ports;
  let obstacle: string | undefined;

  const note: Progress['note'] = (...said) => noteRotation(ports, ...said);
  const enter: Progress['enter'] = (...entered) => enterPhase(ports, ...entered);

  /** What is newly seen of a canary is written down, and what halts it is on record before. */
  async function watch(rotation: RootRotation, seen: RotationEvidence): Promise<RootRotation> {
    const { canary: before, phase } = rotation;
    if (!before || phase !== 'canary') return rotation;
    const { canary } = watchCanary(rotation, before, seen);
    if (canary === before) return rotation;
    for (const { proxyKey, halt } of canary.watched)
      if (halt && !before.watched.some((each) => each.proxyKey === proxyKey && each.halt))
        await note('rotation.halt', { ...byItself, reason: halt.reason }, rotation, { proxyKey });
    const watched = { ...rotation, canary };
    await store.rotations.save(watched);
    return watched;
  }

  /** For the record: the keys that an end leaves in their homes. */
  async function leftBehind({ words, oldRoot, newRoot }: RootRotation, to: RotationPhase) {
    if (to !== 'done' && to !== 'aborted') return {};
    const gone = signersOf(await store.authorities.list(), to === 'done' ? oldRoot : newRoot);
    const left = keysLeft({ words }, gone).map(({ backend, keyId }) => `${keyId} in ${backend}`);
    return left.length === 0 ? {} : { keysLeft: left.join(', ') };
  }

  /** Goes on until something is waited for, and keeps what it failed by. @returns what is waited for */
  async function run(rotation: RootRotation, order: RotationOrder, asked: Asked): Promise<Gate | undefined> {
    try {
      const gate = await goOn(rotation, order, asked);
      obstacle = undefined;
      return gate;
    } catch (error) {
      obstacle = toCitadelError(error).message;
      throw error;
    }
  }

  async function goOn(rotation: RootRotation, order: RotationOrder, asked: Asked): Promise<Gate | undefined> {
    let present = rotation;
    let word = asked;
    for (let step = 0; step < mostSteps; step += 1) {
      const seen = await evidence();
      present = await watch(present, seen);
      const action = decideRotation(present, seen.authorities, seen, word);
      if (action.kind === 'wait') return action.gate;
      if (action.kind === 'makeRoot') {
        const root = await makeNewRoot(present, effects);
        present = { ...present, newRoot: root.fingerprint };
        await note('rotation.prepare', order, present);
        await store.rotations.save(present);
      } else if (action.kind === 'goBack') {
        await activateOldRoot(present, effects);
        await note('rotation.back', order, present);
      } else {
        if (action.to === present.phase) return undefined;
        await applyEffect(action.effect, present, effects);
        // First on record: who is cut off here does it again, and is on record twice, never not at all.
        await note(
          `rotation.${action.to}`,
          order,
          { ...present, phase: action.to },
          { effect: action.effect, ...(await leftBehind(present, action.to)) },
        );
        present = await enter(present, action.to);
        // A word ends one phase.
        word = 'no';
      }
      // New bundle, new issuing authority. Where a key's home is away, maintenance tries again; the old one goes on.
      await authority.tick().catch((error: unknown) => {
        log.warn('the authorities could not follow the rotation yet', { cause: describeError(error) });
      });
    }
    return undefined;
  }

  return {
    get obstacle() {
      return obstacle;
    },
    note,
    enter,
    run,
  };
}
