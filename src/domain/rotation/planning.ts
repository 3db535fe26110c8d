import { CitadelError, type Clock } from '../../kernel/index.ts';
import { type AuthoritiesBelow, type KeyAlgorithm, parseCertificate } from '../../pki/index.ts';
import type { AuthorityRecord, GivenRootSource, RootRotation } from '../ports/index.ts';
import { type CanaryOrder, planCanary } from './canary.ts';
import { signersOf } from './effects.ts';
import type { RotationEvidence } from './gate.ts';
import { keysLeft } from './old-keys.ts';
import { type PlannedPhase, planRotation } from './plan.ts';
import { type PlannedChange, planInputs, planToken, requireUnchanged } from './plan-token.ts';
import { type Unable, unableToVerify } from './verifiers.ts';
import { withoutCrlsWarning } from './without-crls.ts';

/** What an operator wants the new root to be; otherwise as configured. */
export interface WantedRoot {
  readonly algorithm?: KeyAlgorithm;
  /** Milliseconds. */
  readonly lifetime?: number;
  /** Whether the old root certifies it. */
  readonly crossSign?: boolean;
  /** Whom it is given to before all others; absent: it is given to all at once. */
  readonly canary?: CanaryOrder;
  /** Whose root it is to be, as the configuration names it; absent: one that is made here. */
  readonly from?: GivenRootSource;
  /** What is known of that root, once it was looked at. */
  readonly given?: NonNullable<RootRotation['given']> & {
    readonly notAfter: Date;
    /** See GivenRoot. */
    readonly below: AuthoritiesBelow;
    readonly noCrls?: string;
  };
}

export interface PlannedRoot {
  /** Empty: it is not made yet. */
  readonly fingerprint: string;
  readonly algorithm: string;
  readonly keyHome: string;
  readonly notAfter: Date;
}

export interface RotationPlan {
  readonly phases: readonly PlannedPhase[];
  readonly token: string;
  readonly oldRoot: PlannedRoot;
  readonly newRoot: PlannedRoot;
  /** What an operator should know before. */
  readonly warnings: readonly string[];
  /** Who would be cut off: cannot verify what is under a root of that algorithm, or cannot tell. */
  readonly unable: readonly Unable[];
}

export interface PlanningOptions {
  readonly defaults: { readonly algorithm: KeyAlgorithm; readonly lifetime: number };
  /** Of leaves, milliseconds. */
  readonly leafTtl: number;
  /** What the configuration says of key homes, without a look at them. */
  readonly homes: {
    /** Where the key of a new root is made. */
    readonly next: string;
    knows(backend: string): boolean;
  };
  /** Who verifies certificates without having one, and cannot say with what. */
  readonly outside?: readonly Unable[];
  /** Whether something that is valid is revoked. Absent: nothing is. */
  readonly isRevoking?: () => boolean;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Planning {
  /** @throws CitadelError FailedPrecondition where there is no root that could be rotated from here; as planCanary does */
  plan(evidence: RotationEvidence, wanted: WantedRoot): RotationPlan;
  /** @throws CitadelError Aborted with what has changed since the plan of this token; InvalidArgument for no token */
  requireSame(token: string, authorities: readonly AuthorityRecord[], wanted: WantedRoot): void;
}

export function createPlanning(options: PlanningOptions): Planning {
  const { defaults, leafTtl, homes, outside = [], isRevoking = () => false, clock } = options;
  function changeOf(authorities: readonly AuthorityRecord[], wanted: WantedRoot): PlannedChange {
    const oldRoot = authorities.find(({ kind, state }) => kind === 'root' && state === 'active');
    if (!oldRoot) throw new CitadelError('FailedPrecondition', 'there is no active root to rotate');
    return {
      authorities,
      oldRoot,
      newHome: wanted.from === 'upstream' ? 'upstream' : homes.next,
      given: wanted.given,
      knowsOldHome: isOpenable(oldRoot, homes.knows(oldRoot.keyBackend)),
      algorithm: wanted.algorithm ?? defaults.algorithm,
      lifetime: wanted.lifetime ?? defaults.lifetime,
      crossSign: wanted.crossSign ?? false,
      canary: wanted.canary,
      leafTtl,
    };
  }
  return {
    plan(evidence, wanted) {
      const now = clock.now();
      const change = changeOf(evidence.authorities, wanted);
      const { oldRoot, newHome, algorithm, lifetime } = change;
      return {
        phases: planRotation(
          evidence,
          leafTtl,
          now,
          // Another share of the same size than the rotation's own: that follows from its id.
          wanted.canary && planCanary('', wanted.canary, evidence),
        ),
        token: planToken(planInputs(change)),
        oldRoot: {
          fingerprint: oldRoot.fingerprint,
          algorithm: parseCertificate(oldRoot.certificate).publicKey.algorithm,
          keyHome: oldRoot.keyBackend,
          notAfter: oldRoot.notAfter,
        },
        newRoot: {
          fingerprint: wanted.given?.fingerprint ?? '',
          algorithm,
          keyHome: newHome,
          notAfter: wanted.given?.notAfter ?? new Date(now.getTime() + lifetime),
        },
        warnings: [
          ...warningsOf(change, evidence),
          ...withoutCrlsWarning(wanted.given?.noCrls, isRevoking()),
        ],
        unable: unableToVerify(wanted.algorithm ?? defaults.algorithm, evidence.proxies, outside),
      };
    },
    requireSame: (token, authorities, wanted) =>
      requireUnchanged(token, planInputs(changeOf(authorities, wanted))),
  };
}

function isOpenable({ keyBackend }: AuthorityRecord, known: boolean): boolean {
  return known || keyBackend === 'none' || keyBackend === 'upstream';
}

const mostNamed = 5;

function warningsOf(change: PlannedChange, { proxies }: RotationEvidence): readonly string[] {
  const { oldRoot, newHome, knowsOldHome, authorities } = change;
  const silent = proxies.filter(({ report }) => !report);
  const away = proxies.filter(({ report }) => report?.connected === false);
  const named = (all: typeof proxies) =>
    [...new Set(all.map(({ spiffeId }) => spiffeId))].slice(0, mostNamed).join(', ');
  const left = keysLeft({ words: [] }, signersOf(authorities, oldRoot.fingerprint));
  return [
    ...(oldRoot.keyBackend === 'upstream' && !change.given
      ? [
          'the root belongs to the upstream authority: the next one is made here, and the mesh leaves that PKI',
        ]
      : []),
    ...(knowsOldHome
      ? []
      : [
          `the key of the old root is in the ${oldRoot.keyBackend} key home, which the configuration does not name: nothing new is signed under it, and the end waits; name it in formerKeys`,
        ]),
    ...(newHome === 'memory'
      ? ['the key of the new root is lost when the server stops: its home is memory']
      : []),
    ...left.map(
      ({ keyId, backend }) =>
        `the key ${keyId} in the ${backend} key home was not made here: it stays there, unless citadel rotate continue --destroy-imported-key asks for its end`,
    ),
    ...(silent.length === 0
      ? []
      : [`${silent.length} clients cannot report what they use; each needs your word: ${named(silent)}`]),
    ...(away.length === 0 ? [] : [`the agents of ${away.length} proxies are away: ${named(away)}`]),
  ];
}
