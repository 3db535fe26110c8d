import type { Clock } from '../../kernel/index.ts';
import { createRootCertificate } from '../../pki/index.ts';
import { authorityRecord } from '../authority/index.ts';
import type { AuthorityRecord, AuthorityStore, KeyManager, RootRotation } from '../ports/index.ts';
import type { RotationEffect } from './decide.ts';

export interface EffectPorts {
  readonly trustDomain: string;
  readonly store: Pick<AuthorityStore, 'list' | 'save'>;
  /** The home in which a new root's key is made. */
  readonly newKeys: () => Promise<KeyManager>;
  /** The home of a key that exists, by its backend's name; undefined where the configuration knows none of it. */
  readonly keysOf: (backend: string) => Promise<KeyManager | undefined>;
  /** Milliseconds by which a root's certificate begins before it is made, for clients whose clocks are slow. */
  readonly backdate: number;
  readonly clock: Clock;
}

/** Makes the new root, or finds what an earlier try has made of it. @returns its record, which is in the store */
export async function makeNewRoot(rotation: RootRotation, ports: EffectPorts): Promise<AuthorityRecord> {
  const { store, clock, trustDomain, backdate } = ports;
  const keyId = `root-${rotation.id}`;
  const known = (await store.list()).find((record) => record.kind === 'root' && record.keyId === keyId);
  if (known) return known;
  const keys = await ports.newKeys();
  const signer = (await keys.get(keyId)) ?? (await keys.generate(keyId, rotation.algorithm));
  const now = clock.now();
  const record = authorityRecord({
    kind: 'root',
    state: 'prepared',
    keyBackend: keys.backend,
    keyId,
    certificate: await createRootCertificate({
      signer,
      subject: `Citadel root ${rotation.id}`,
      notBefore: new Date(now.getTime() - backdate),
      notAfter: new Date(now.getTime() + rotation.lifetime),
      trustDomain,
    }),
    createdAt: now,
  });
  await store.save(record);
  return record;
}

/** Does what ends a phase. Safe to repeat: what is so already is left. */
export async function applyEffect(
  effect: RotationEffect,
  { oldRoot, newRoot }: RootRotation,
  ports: EffectPorts,
): Promise<void> {
  const records = await ports.store.list();
  const under = (root: string | undefined) =>
    records.filter(({ kind, rootFingerprint }) => kind !== 'issuing' && rootFingerprint === root);
  const save = async (...changed: AuthorityRecord[]) => {
    if (changed.length > 0) await ports.store.save(...changed);
  };
  switch (effect) {
    case 'none':
      return;
    case 'activateNewRoot':
      return save(
        ...change(under(oldRoot), 'active', 'old'),
        ...change(under(newRoot), 'prepared', 'active'),
      );
    case 'activateOldRoot':
      // Whatever the new root has signed stays good until it is gone.
      return save(...change(under(newRoot), 'active', 'old'), ...change(under(oldRoot), 'old', 'active'));
    case 'retireOldRoot':
      return save(...change(under(oldRoot), 'old', 'retired'));
    case 'destroyOldKey':
      return destroyKeys(under(oldRoot), ports);
    case 'discardNewRoot': {
      const discarded = under(newRoot);
      await save(...change(discarded, 'prepared', 'retired'), ...change(discarded, 'old', 'retired'));
      return destroyKeys(discarded, ports);
    }
  }
}

function change(
  records: readonly AuthorityRecord[],
  from: AuthorityRecord['state'],
  to: AuthorityRecord['state'],
): AuthorityRecord[] {
  return records.filter(({ state }) => state === from).map((record) => ({ ...record, state: to }));
}

async function destroyKeys(records: readonly AuthorityRecord[], { keysOf }: EffectPorts): Promise<void> {
  for (const { keyBackend, keyId } of records) {
    const keys = keyId === '' ? undefined : await keysOf(keyBackend);
    await keys?.destroy(keyId);
  }
}
