import type { AuthorityService } from '../domain/authority/index.ts';
import type { RotationService } from '../domain/rotation/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { Probe } from './health.ts';

/** The part of a root's life after which it is told that it ends. */
const oldAt = 0.8;

/** What would end in an outage that nobody sees coming: a root near its end, a rotation that nobody goes on with. */
export function rotationProbes(
  authority: Pick<AuthorityService, 'records'>,
  rotation: Pick<RotationService, 'current' | 'status'>,
  { leafTtl, clock }: { readonly leafTtl: number; readonly clock: Pick<Clock, 'now'> },
): Probe[] {
  return [
    {
      name: 'root',
      why: 'when the root ends, every certificate in the mesh is refused',
      mend: 'citadel rotate plan, then citadel rotate start',
      essential: false,
      run: () => {
        const now = clock.now().getTime();
        const ending = authority
          .records()
          .filter(({ kind, state }) => kind === 'root' && state === 'active')
          .find(({ notBefore, notAfter }) => {
            const life = notAfter.getTime() - notBefore.getTime();
            return now - notBefore.getTime() > oldAt * life;
          });
        return Promise.resolve(ending && `the active root ends at ${ending.notAfter.toISOString()}`);
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
        // By then every certificate has been replaced twice over, of whoever is still there.
        if (waited < Math.max(2 * leafTtl, 3_600_000)) return undefined;
        const { gate } = await rotation.status();
        const missing = (gate?.stragglers.length ?? 0) + (gate?.unproven.length ?? 0);
        const since = `in phase ${present.phase} since ${present.phaseSince.toISOString()}`;
        return missing > 0 ? `${since}, waits for ${missing} proxies` : `${since}, waits for an operator`;
      },
    },
  ];
}
