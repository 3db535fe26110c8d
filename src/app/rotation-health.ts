import type { AuthorityService } from '../domain/authority/index.ts';
import type { AuthorityRecord } from '../domain/ports/index.ts';
import { type Gate, partLived, type RotationService } from '../domain/rotation/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { Probe } from './health.ts';

/** The part of a root's life after which it is told that it ends. */
const oldAt = 0.8;

export interface RotationHealthOptions {
  /** Milliseconds after which a phase is told of. */
  readonly longestPhase: number;
  readonly formerHome: {
    /** Whether the configuration names the home of this backend. */
    knows(backend: string): boolean;
    /** Rejects where the home of formerKeys could not sign; undefined: there is none. */
    readonly check: ((signal: AbortSignal) => Promise<void>) | undefined;
  };
  readonly clock: Pick<Clock, 'now'>;
}

/** The probe whose result is the state of the home that the configuration names in formerKeys. */
export const formerKeyProbe = 'former-root-key';

/** Why a canary is stopped; undefined: it is not. */
function haltedBy(gate: Gate | undefined): string | undefined {
  const [halted, ...more] = gate?.canary?.halted ?? [];
  if (!halted) return undefined;
  const others = more.length > 0 ? `, and ${more.length} more` : '';
  return `the canary is stopped by ${halted.proxy.spiffeId} (${halted.proxy.proxyKey})${others}: ${halted.detail}`;
}

/** What would end in an outage that nobody sees coming: a root near its end, a rotation that nobody goes on with. */
export function rotationProbes(
  authority: Pick<AuthorityService, 'records'>,
  rotation: Pick<RotationService, 'current' | 'status'>,
  { longestPhase, formerHome, clock }: RotationHealthOptions,
): Probe[] {
  return [
    {
      name: 'root',
      why: 'when the root ends, every certificate in the mesh is refused',
      mend: 'citadel rotate plan, then citadel rotate start',
      essential: false,
      run: () => {
        // What is between the root and issuing authorities ends with the same outage, and is made by others.
        const ending = authority
          .records()
          .filter(({ kind, state }) => kind !== 'issuing' && state === 'active')
          .find((record) => partLived(record, clock.now()) > oldAt);
        return Promise.resolve(
          ending &&
            `the active ${ending.kind === 'root' ? 'root' : 'intermediate authority'} ends at ${ending.notAfter.toISOString()}`,
        );
      },
    },
    {
      name: formerKeyProbe,
      why: 'until the rotation is done, the old root’s key signs issuing authorities, and is destroyed at the end',
      mend: 'unseal or reconnect the home that formerKeys names, or name the home of that key there',
      essential: false,
      run: async (signal) => {
        const present = await rotation.current();
        const nowhere = authority
          .records()
          .filter((record) => isNeeded(record, present?.oldRoot))
          .find(({ keyBackend }) => !formerHome.knows(keyBackend));
        if (nowhere)
          return `the key of ${nowhere.id} is in the ${nowhere.keyBackend} key home, which the configuration does not name`;
        await formerHome.check?.(signal);
        return undefined;
      },
    },
    {
      name: 'rotation',
      why: 'two roots are trusted for as long as a rotation is under way',
      mend: 'citadel rotate status names what is waited for; then citadel rotate continue, excuse or abort',
      essential: false,
      run: async () => {
        const present = await rotation.current();
        if (!present) return undefined;
        const waited = clock.now().getTime() - present.phaseSince.getTime();
        const isOverdue = waited >= longestPhase;
        if (present.phase !== 'canary' && !isOverdue) return undefined;
        const { gate, obstacle } = await rotation.status();
        const halted = haltedBy(gate);
        if (halted !== undefined) return halted;
        if (!isOverdue) return undefined;
        if (obstacle !== undefined) return `in phase ${present.phase}, and cannot go on: ${obstacle}`;
        const missing = (gate?.stragglers.length ?? 0) + (gate?.unproven.length ?? 0);
        const since = `in phase ${present.phase} since ${present.phaseSince.toISOString()}`;
        return missing > 0 ? `${since}, waits for ${missing} proxies` : `${since}, waits for an operator`;
      },
    },
  ];
}

/** Whether its key signs issuing authorities, or is to be destroyed. */
function isNeeded(
  { kind, state, keyBackend, fingerprint }: AuthorityRecord,
  oldRoot: string | undefined,
): boolean {
  if (kind === 'issuing' || keyBackend === 'none' || keyBackend === 'upstream') return false;
  return state === 'active' || fingerprint === oldRoot;
}
