import { CitadelError } from '../../kernel/index.ts';
import { parseCertificate } from '../../pki/index.ts';
import type { GivenRoot } from '../authority/index.ts';
import type {
  AuthorityRecord,
  AuthorityState,
  AuthorityStore,
  GivenRootSource,
  RootRotation,
} from '../ports/index.ts';
import { crossSign, crossSignerOf } from './cross-sign.ts';
import type { EffectPorts } from './effects.ts';
import type { WantedRoot } from './planning.ts';

/** Finds what the configuration names. @throws CitadelError FailedPrecondition where it names none of the kind */
export type FindGivenRoot = (from: GivenRootSource) => Promise<GivenRoot>;

type CrossSignPorts = Pick<EffectPorts, 'keysOf' | 'trustDomain' | 'clock'>;
type RotationToGiven = Pick<RootRotation, 'oldRoot' | 'crossSign' | 'canary'> & {
  readonly given: NonNullable<RootRotation['given']>;
};

interface GivenRootPorts {
  readonly given: FindGivenRoot;
  readonly store: Pick<AuthorityStore, 'list' | 'save'>;
}

/**
 * What is wanted, completed by what the root of others says of itself.
 * @param leafTtl milliseconds
 * @throws CitadelError FailedPrecondition where it cannot be the next root; InvalidArgument where it is wanted otherwise than
 *   it is
 */
export async function resolveWanted<T extends WantedRoot>(
  wanted: T,
  { given, store }: GivenRootPorts,
  { now, leafTtl }: { readonly now: Date; readonly leafTtl: number },
): Promise<T> {
  const { from } = wanted;
  if (from === undefined) return wanted;
  if (wanted.algorithm !== undefined || wanted.lifetime !== undefined)
    throw new CitadelError(
      'InvalidArgument',
      'a root that others have made has its own key and its own end: leave out algorithm and lifetime',
    );
  const { root, below, noCrls } = await given(from);
  const { fingerprint, publicKey, notBefore, notAfter } = parseCertificate(root);
  const stored = (await store.list()).find((record) => record.fingerprint === fingerprint);
  const refused = reasonToRefuse(stored);
  if (refused !== undefined) throw new CitadelError('FailedPrecondition', refused);
  if (notAfter.getTime() - now.getTime() <= leafTtl)
    throw new CitadelError(
      'FailedPrecondition',
      `the root ends at ${notAfter.toISOString()}: it must outlive the certificates under it, which live for ${leafTtl / 1000} s`,
    );
  return {
    ...wanted,
    algorithm: publicKey.algorithm,
    lifetime: notAfter.getTime() - notBefore.getTime(),
    given: { from, fingerprint, notAfter, below, ...(noCrls === undefined ? {} : { noCrls }) },
  };
}

/** Why a root of which this is known cannot be the next one. Pure. */
function reasonToRefuse(stored: AuthorityRecord | undefined): string | undefined {
  if (!stored) return undefined;
  if (stored.tainted) return 'the root is tainted: it is not trusted again';
  switch (stored.state) {
    case 'active':
      return 'the root that the configuration names is the active one: there is nothing to rotate to';
    case 'retired':
      return undefined;
    case 'staged':
    case 'prepared':
    case 'old':
      return 'the root that the configuration names is in the bundle already, beside the active one';
  }
}

/**
 * Takes the root of others as the next one, or finds what an earlier try has made of it.
 * @returns its record, which is in the store
 */
export async function takeGivenRoot(
  rotation: RotationToGiven,
  ports: GivenRootPorts & CrossSignPorts,
): Promise<AuthorityRecord> {
  const { given, store, clock } = ports;
  const { from, fingerprint } = rotation.given;
  const stored = await store.list();
  const known = stored.find((record) => record.fingerprint === fingerprint);
  if (known && known.state !== 'retired') return known;
  const found = await given(from);
  if (parseCertificate(found.root).fingerprint !== fingerprint)
    throw new CitadelError(
      'FailedPrecondition',
      'the configuration names another root by now than when the rotation began: put it back, or abort the rotation',
    );
  const records = await found.place();
  const root = records.find((record) => record.fingerprint === fingerprint);
  if (!root) throw new CitadelError('Internal', 'a root that was given is not among its records');
  const { below } = found;
  const oldRoot = crossSignerOf(rotation, stored, clock.now());
  const certified = oldRoot
    ? { ...root, intermediates: [await crossSign(oldRoot, { certificate: root.certificate, below }, ports)] }
    : root;
  const state: AuthorityState = rotation.canary ? 'staged' : 'prepared';
  const changed = records.map((record) => (record === root ? certified : record));
  // An issuing authority is in no bundle, and signs nothing before its root is active.
  await store.save(...changed.map((record) => (record.kind === 'issuing' ? record : { ...record, state })));
  return certified;
}
