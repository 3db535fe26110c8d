import { createHash } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import type { AuthorityRecord } from '../ports/index.ts';
import type { CanaryOrder } from './canary.ts';

/** What a plan was made of, by name: what an operator has agreed to, and nothing that changes from second to second. */
export type PlanInputs = Readonly<Record<string, string>>;

/** What the new root is to be, and what is known of the way there. */
export interface PlannedChange {
  readonly authorities: readonly AuthorityRecord[];
  readonly oldRoot: AuthorityRecord;
  /** The home of the new root's key. */
  readonly newHome: string;
  /** Whether the configuration names the home of the old root's key. */
  readonly knowsOldHome: boolean;
  /** A root that others have made. */
  readonly given: { readonly from: string; readonly fingerprint: string } | undefined;
  readonly algorithm: string;
  /** Whether the old root certifies the new one. */
  readonly crossSign: boolean;
  /** Who is given the new root first. */
  readonly canary: CanaryOrder | undefined;
  /** Milliseconds. */
  readonly lifetime: number;
  /** Of leaves, milliseconds. */
  readonly leafTtl: number;
}

/** Pure. The names are for the operator: they are what a refusal says has changed. */
export function planInputs(change: PlannedChange): PlanInputs {
  const {
    authorities,
    oldRoot,
    newHome,
    knowsOldHome,
    given,
    algorithm,
    crossSign,
    canary,
    lifetime,
    leafTtl,
  } = change;
  const kept = (kinds: readonly AuthorityRecord['kind'][], states = ['prepared', 'active', 'old']) =>
    authorities
      .filter(({ kind, state }) => kinds.includes(kind) && states.includes(state))
      .map(
        ({ fingerprint, state, tainted }) =>
          `${fingerprint.slice(0, 16)} ${state}${tainted ? ' tainted' : ''}`,
      )
      .toSorted()
      .join(', ');
  return {
    'the active root': oldRoot.fingerprint.slice(0, 16),
    'the roots and intermediates': kept(['root', 'intermediate']),
    'the issuing authorities': kept(['issuing'], ['active']),
    'the home of the old root’s key': `${oldRoot.keyBackend}${knowsOldHome ? '' : ', not configured'}`,
    'the home of the new root’s key': newHome,
    'where the new root comes from': given ? `${given.from} ${given.fingerprint.slice(0, 16)}` : 'made here',
    'the algorithm of the new root’s key': algorithm,
    'whether the old root certifies the new one': crossSign ? 'yes' : 'no',
    'who is given the new root first': describeCanary(canary),
    'the lifetime of the new root': `${lifetime / 1000} s`,
    'the lifetime of certificates': `${leafTtl / 1000} s`,
  };
}

function describeCanary(canary: CanaryOrder | undefined): string {
  if (!canary) return 'all';
  const { selectors, watch = 0, allowedFailures = 0, auto = false } = canary;
  return `${selectors.join(' ')}, ${watch / 1000} s, ${allowedFailures} failures${auto ? ', auto' : ''}`;
}

const version = 'p1';
/** Octets of each digest: an operator's own mistake is to be found, not an attacker. */
const digestLength = 6;
const longestToken = 256;

/** Stands for the inputs, one digest each, so that a refusal can say which of them has changed. */
export function planToken(inputs: PlanInputs): string {
  return [version, ...Object.entries(inputs).map(([name, value]) => digest(name, value))].join('.');
}

/** @throws CitadelError Aborted with what has changed since; InvalidArgument for what is no token of a plan */
export function requireUnchanged(token: string, inputs: PlanInputs): void {
  const [given, ...digests] = token.slice(0, longestToken + 1).split('.');
  const present = Object.entries(inputs);
  const isToken = token.length <= longestToken && digests.every((each) => /^[A-Za-z0-9_-]{8}$/.test(each));
  if (!isToken || given !== version || digests.length !== present.length)
    throw new CitadelError(
      'InvalidArgument',
      'this is no token of a plan of this server: look at the plan again',
    );
  const changed = present
    .filter(([name, value], index) => digests[index] !== digest(name, value))
    .map(([name, value]) => `${name} (by now: ${value === '' ? 'none' : value})`);
  if (changed.length > 0)
    throw new CitadelError(
      'Aborted',
      `the plan is another one by now; what has changed: ${changed.join('; ')}: look at the plan again`,
    );
}

function digest(name: string, value: string): string {
  return createHash('sha256')
    .update(`${name}\0${value}`)
    .digest()
    .subarray(0, digestLength)
    .toString('base64url');
}
