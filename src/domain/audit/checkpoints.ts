import { CitadelError, type Clock, describeError, isCitadelError, type Log } from '../../kernel/index.ts';
import type { CertificateSigner } from '../../pki/index.ts';
import type { AuditLog, CheckpointAge, CheckpointPlace, TreeHead } from '../ports/index.ts';
import { signCheckpoint } from './checkpoint.ts';
import type { KeptPlaces } from './kept-places.ts';
import { lastRevocation } from './last-revocation.ts';
import { formatNoteKey, type NoteKey } from './note.ts';
import { agrees, describeStanding, requireAgreement, type Standing, standingOf } from './standing.ts';

export interface CheckpointOptions {
  readonly log: Pick<AuditLog, 'head' | 'rootAt' | 'find'>;
  readonly places: readonly CheckpointPlace[];
  /** Absent: one that keeps none is taken for a new one. */
  readonly kept?: KeptPlaces;
  readonly key: NoteKey;
  readonly signer: CertificateSigner;
  /** A checkpoint is due after so many entries, or so many milliseconds after the last one where there are new ones. */
  readonly everyEntries: number;
  readonly interval: number;
  readonly clock: Clock;
  readonly logger: Log;
}

export interface PlaceState extends CheckpointAge {
  /** How many entries the last checkpoint there swears to; undefined where that is not known. */
  readonly size: number | undefined;
  /** Whether entries have waited there for far longer than they may. */
  readonly overdue: boolean;
  /** Why nothing is written there now. */
  readonly problem: string | undefined;
  /** Whether what is kept there disagrees with the store. */
  readonly disagrees: boolean;
  /** Since when something has been wrong. */
  readonly since: Date | undefined;
}

/** Swears to the audit record outside of the store. */
export interface CheckpointService {
  readonly key: NoteKey;
  /** The key as it is pinned. */
  readonly keyText: string;
  /** The present head, signed. */
  sign(): Promise<TreeHead & { readonly note: string }>;
  /**
   * Holds the store against the last checkpoint of each place that can be reached.
   * @throws CitadelError FailedPrecondition where the store is behind or another
   */
  requireAgreement(): Promise<void>;
  /** Writes what is due; a place that is away is tried again later, and holds up no other. Never throws. */
  tick(): Promise<void>;
  /** Writes whatever is not sworn to yet, for the last time. Never throws. */
  finish(): Promise<void>;
  states(): readonly PlaceState[];
}

/** Milliseconds that one place has for one answer. */
const deadline = 10_000;
const longestPause = 60_000;

interface Kept {
  readonly place: CheckpointPlace;
  /** Whether `note` is known to be the last one there. */
  known: boolean;
  note: string | undefined;
  size: number | undefined;
  at: Date | undefined;
  waitingSince: Date | undefined;
  /** Whether it was held against the store since this process began. */
  compared: boolean;
  writtenAt: number;
  problem: string | undefined;
  disagrees: boolean;
  since: Date | undefined;
  failures: number;
  notBefore: number;
  busy: Promise<void> | undefined;
}

export function createCheckpointService(options: CheckpointOptions): CheckpointService {
  const { log, key, signer, clock, logger } = options;
  const kept = options.places.map(
    (place): Kept => ({
      place,
      known: place.last === undefined,
      note: undefined,
      size: undefined,
      at: undefined,
      waitingSince: undefined,
      compared: false,
      writtenAt: 0,
      problem: undefined,
      disagrees: false,
      since: undefined,
      failures: 0,
      notBefore: 0,
      busy: undefined,
    }),
  );
  let newest: { readonly size: number; readonly note: Promise<string> } | undefined;

  async function sworn(head: TreeHead): Promise<string> {
    // What is taken back meanwhile is behind the head: to say too much errs on the side of care.
    const revoked = Math.min(await lastRevocation(log), head.size);
    return signCheckpoint({ ...head, at: clock.now(), revoked }, key, signer);
  }

  /** The present head, signed; the same note for all places. */
  async function noteOf(head: TreeHead): Promise<string> {
    if (newest?.size !== head.size) {
      newest = { size: head.size, note: sworn(head) };
    }
    const signing = newest;
    try {
      return await signing.note;
    } catch (error) {
      if (newest === signing) newest = undefined;
      throw error;
    }
  }

  async function look(one: Kept): Promise<Standing> {
    const note = await one.place.last?.(AbortSignal.timeout(deadline));
    // Later the store is the one that was compared, whatever becomes of the place.
    const mustKeep = !one.compared && (await options.kept?.has(one.place.name)) === true;
    const standing = await standingOf(note, key, log, mustKeep);
    one.disagrees = !agrees(standing);
    if (one.disagrees) return standing;
    if (one.compared && standing.kind === 'none')
      logger.warn('a place keeps its checkpoints no more; they begin anew', { place: one.place.name });
    one.compared = true;
    one.known = true;
    one.note = note;
    one.size = standing.kind === 'follows' ? standing.checkpoint.size : 0;
    one.at = standing.kind === 'follows' ? standing.checkpoint.at : undefined;
    return standing;
  }

  async function write(one: Kept, head: TreeHead): Promise<void> {
    if (!one.known) {
      const standing = await look(one);
      if (one.disagrees) throw new CitadelError('FailedPrecondition', describeStanding(standing));
      if (one.size === head.size) return;
    }
    const note = await noteOf(head);
    await one.place.put(note, one.note, AbortSignal.timeout(deadline));
    one.note = note;
    one.size = head.size;
    one.at = clock.now();
    one.writtenAt = one.at.getTime();
    one.waitingSince = undefined;
  }

  /** From then on it must keep one; that is an entry, and is sworn to with the others. */
  async function noteKept(one: Kept): Promise<void> {
    const { kept: places } = options;
    if (!places || !one.place.last || (await places.has(one.place.name))) return;
    await places.note(one.place.name);
    await write(one, await log.head());
  }

  async function attempt(one: Kept, head: TreeHead): Promise<void> {
    try {
      await write(one, head);
      await noteKept(one);
      if (one.problem !== undefined) logger.info('checkpoints are kept again', { place: one.place.name });
      Object.assign(one, { problem: undefined, since: undefined, failures: 0, notBefore: 0 });
    } catch (error) {
      // What was written last may have been written by another, or not at all.
      if (one.place.last) one.known = false;
      const problem = isCitadelError(error) ? describeError(error) : 'it could not be written';
      if (problem !== one.problem) {
        const fields = {
          place: one.place.name,
          problem,
          details: isCitadelError(error) && error.details,
          error,
        };
        if (one.disagrees) logger.error('the store disagrees with its checkpoint', fields);
        else logger.warn('no checkpoint can be kept; trying again', fields);
      }
      one.problem = problem;
      one.since ??= clock.now();
      one.failures += 1;
      one.notBefore =
        clock.now().getTime() + Math.min(1000 * 2 ** Math.min(one.failures - 1, 6), longestPause);
    }
  }

  /** One at a time for each place. */
  function begin(one: Kept, head: TreeHead): Promise<void> {
    one.busy ??= attempt(one, head).finally(() => {
      one.busy = undefined;
    });
    return one.busy;
  }

  function isDue(one: Kept, head: TreeHead, revoked: number, now: number): boolean {
    if (one.busy || now < one.notBefore) return false;
    if (one.problem !== undefined || !one.known) return true;
    const size = one.size ?? 0;
    if (head.size <= size) return false;
    if (revoked > size) return true;
    return head.size - size >= options.everyEntries || now - one.writtenAt >= options.interval;
  }

  function isOverdue(waitingSince: Date | undefined): boolean {
    const most = 3 * options.interval + longestPause;
    return waitingSince !== undefined && clock.now().getTime() - waitingSince.getTime() > most;
  }

  return {
    key,
    keyText: formatNoteKey(key),
    async sign() {
      const head = await log.head();
      return { ...head, note: await noteOf(head) };
    },
    async requireAgreement() {
      await Promise.all(
        kept.map(async (one) => {
          if (!one.place.last) return;
          let standing: Standing;
          try {
            standing = await look(one);
          } catch (error) {
            // Away is forgiven, gone or damaged is not: what is not there any more may have been taken away.
            if (isCitadelError(error, 'DataLoss')) throw error;
            one.problem = describeError(error);
            one.since = clock.now();
            logger.warn('the last checkpoint could not be read; it is compared when its place is back', {
              place: one.place.name,
              error,
            });
            return;
          }
          requireAgreement(one.place.name, standing);
          const { size } = await log.head();
          if (standing.kind === 'none' && size > 0)
            logger.warn('the audit record has entries, and this place keeps no checkpoint yet', {
              place: one.place.name,
              entries: size,
            });
        }),
      );
    },
    async tick() {
      if (kept.length === 0) return;
      try {
        const [head, revoked] = [await log.head(), await lastRevocation(log)];
        const now = clock.now().getTime();
        for (const one of kept) if (head.size > (one.size ?? 0)) one.waitingSince ??= new Date(now);
        await Promise.all(
          kept.filter((one) => isDue(one, head, revoked, now)).map((one) => begin(one, head)),
        );
      } catch (error) {
        logger.error('no checkpoint can be made of the audit record', { error });
      }
    },
    async finish() {
      await Promise.all(kept.map(async (one) => one.busy));
      try {
        const head = await log.head();
        await Promise.all(kept.filter((one) => one.size !== head.size).map((one) => begin(one, head)));
      } catch (error) {
        logger.error('no checkpoint can be made of the audit record', { error });
      }
    },
    states: () =>
      kept.map(({ place, size, at, waitingSince, problem, disagrees, since }) => ({
        place: place.name,
        size,
        at,
        waitingSince,
        overdue: isOverdue(waitingSince),
        problem,
        disagrees,
        since,
      })),
  };
}
