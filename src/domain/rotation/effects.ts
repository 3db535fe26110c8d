import type { Clock } from '../../kernel/index.ts';
import { createRootCertificate } from '../../pki/index.ts';
import { authorityRecord } from '../authority/index.ts';
import type { AuthorityRecord, AuthorityStore, KeyManager, RootRotation } from '../ports/index.ts';
import { crossSign, crossSignerOf } from './cross-sign.ts';
import type { RotationEffect } from './decide.ts';
import { type FindGivenRoot, takeGivenRoot } from './given-root.ts';
import { destroyKeys } from './old-keys.ts';

export interface EffectPorts {
  readonly trustDomain: string;
  readonly store: Pick<AuthorityStore, 'list' | 'save'>;
  /** The home in which a new root's key is made. */
  readonly newKeys: () => Promise<KeyManager>;
  /** The home of a key that exists, by its backend's name; undefined where the configuration knows none of it. */
  readonly keysOf: (backend: string) => Promise<KeyManager | undefined>;
  /** Milliseconds by which a root's certificate begins before it is made, for clients whose clocks are slow. */
  readonly backdate: number;
  readonly given: FindGivenRoot;
  readonly clock: Clock;
}

/** Makes the new root, or finds what an earlier try has made of it. @returns its record, which is in the store */
export async function makeNewRoot(rotation: RootRotation, ports: EffectPorts): Promise<AuthorityRecord> {
  if (rotation.given) return takeGivenRoot({ ...rotation, given: rotation.given }, ports);
  const { store, clock, trustDomain, backdate } = ports;
  const keyId = newKeyId(rotation);
  const records = await store.list();
  const known = records.find((record) => record.kind === 'root' && record.keyId === keyId);
  if (known) return known;
  const keys = await ports.newKeys();
  const signer = (await keys.get(keyId)) ?? (await keys.generate(keyId, rotation.algorithm));
  const now = clock.now();
  const certificate = await createRootCertificate({
    signer,
    subject: `Citadel root ${rotation.id}`,
    notBefore: new Date(now.getTime() - backdate),
    notAfter: new Date(now.getTime() + rotation.lifetime),
    trustDomain,
  });
  const oldRoot = crossSignerOf(rotation, records, now);
  const record = authorityRecord({
    kind: 'root',
    state: rotation.canary ? 'staged' : 'prepared',
    keyBackend: keys.backend,
    keyId,
    certificate,
    // With its root, or not at all: nobody asks for it again.
    intermediates: oldRoot ? [await crossSign(oldRoot, { certificate }, ports)] : [],
    createdAt: now,
  });
  await store.save(record);
  return record;
}

function newKeyId({ id }: RootRotation): string {
  return `root-${id}`;
}

/** The old root signs again, from wherever the rotation was cut off. Whatever the new root has signed stays good. */
export async function activateOldRoot(
  { oldRoot, newRoot }: RootRotation,
  { store }: Pick<EffectPorts, 'store'>,
): Promise<void> {
  const records = await store.list();
  await store.save(
    ...change(signersOf(records, newRoot), 'active', 'old'),
    ...change(signersOf(records, oldRoot), 'old', 'active'),
  );
}

/** Does what ends a phase. Safe to repeat: what is so already is left. */
export async function applyEffect(
  effect: RotationEffect,
  rotation: RootRotation,
  ports: EffectPorts,
): Promise<void> {
  const { oldRoot, newRoot, words } = rotation;
  const records = await ports.store.list();
  const under = (root: string | undefined) => signersOf(records, root);
  const save = async (...changed: AuthorityRecord[]) => {
    if (changed.length > 0) await ports.store.save(...changed);
  };
  switch (effect) {
    case 'none':
      return;
    case 'widen':
      return save(...change(under(newRoot), 'staged', 'prepared'));
    case 'activateNewRoot':
      return save(
        ...change(under(oldRoot), 'active', 'old'),
        ...change(under(newRoot), 'prepared', 'active'),
        // Of a canary that an ended root has overtaken.
        ...change(under(newRoot), 'staged', 'active'),
      );
    case 'retireOldRoot':
      return save(...change(under(oldRoot), 'old', 'retired'));
    case 'destroyOldKey':
      return destroyKeys(
        under(oldRoot).filter(({ state }) => state === 'retired'),
        words,
        ports,
      );
    case 'discardNewRoot': {
      // By the name of its key: who was cut off while he made it may not have noted its fingerprint.
      const keyId = newKeyId(rotation);
      const discarded = rotation.given
        ? under(rotation.given.fingerprint)
        : records.filter((record) => record.kind === 'root' && record.keyId === keyId);
      const inBundle = ['staged', 'prepared', 'old'] as const;
      await save(...inBundle.flatMap((state) => change(discarded, state, 'retired')));
      if (discarded.length > 0) return destroyKeys(discarded, words, ports);
      if (rotation.given || words.some(({ kind }) => kind === 'leaveKey')) return;
      const keys = await ports.newKeys();
      if (await keys.get(keyId)) await keys.destroy(keyId);
    }
  }
}

/** A root and the authorities between it and issuing ones. */
export function signersOf(records: readonly AuthorityRecord[], root: string | undefined): AuthorityRecord[] {
  return records.filter(({ kind, rootFingerprint }) => kind !== 'issuing' && rootFingerprint === root);
}

function change(
  records: readonly AuthorityRecord[],
  from: AuthorityRecord['state'],
  to: AuthorityRecord['state'],
): AuthorityRecord[] {
  return records.filter(({ state }) => state === from).map((record) => ({ ...record, state: to }));
}
