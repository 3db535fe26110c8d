import { describe, expect, test } from 'vitest';
import { createMemoryKeyManager } from '../../../../src/adapters/keys/memory/index.ts';
import {
  type ExistingAuthority,
  type GivenRoot,
  givenByImport,
} from '../../../../src/domain/authority/index.ts';
import type { KeyManager } from '../../../../src/domain/ports/index.ts';
import { createRehearsal, type FindGivenRoot, type HandOut } from '../../../../src/domain/rotation/index.ts';
import { CitadelError, compareText, silentLog, systemEntropy } from '../../../../src/kernel/index.ts';
import { toPem } from '../../../../src/pki/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { newRoot } from '../../../support/company-authority.ts';
import { at } from './samples.ts';
import { ann, begun } from './world.ts';

const refuse = (details: string) => () =>
  Promise.reject(new CitadelError('PermissionDenied', 'the home refuses', { details }));

async function rehearsal({
  home = {},
  handOut,
  serverId = 'server-1',
  keys = createMemoryKeyManager(),
  given,
  now = at(0),
}: {
  readonly home?: Partial<KeyManager>;
  readonly handOut?: HandOut;
  readonly serverId?: string;
  readonly keys?: KeyManager;
  readonly given?: FindGivenRoot;
  readonly now?: Date;
} = {}) {
  const { server } = await begun();
  const store = memoryStore();
  const issuingKeys = createMemoryKeyManager();
  let cleared = 0;
  const asGiven: HandOut = Object.assign(
    async ({ certChain }: Parameters<HandOut>[0]) => ({
      chain: certChain.slice(0, -1).join(''),
      bundle: certChain.at(-1) ?? '',
      acceptedVersion: 'abc',
    }),
    {
      clear: async () => {
        cleared += 1;
      },
    },
  );
  const guarded: KeyManager = {
    backend: keys.backend,
    generate: (id, algorithm) => keys.generate(id, algorithm),
    import: (id, pkcs8) => keys.import(id, pkcs8),
    get: (id) => keys.get(id),
    list: () => keys.list(),
    destroy: (id) => keys.destroy(id),
    check: () => keys.check(),
    close: () => keys.close(),
    ...home,
  };
  const made = createRehearsal({
    trustDomain: 'example.org',
    serverId,
    newKeys: async () => guarded,
    issuingKeys,
    algorithms: { root: 'ecdsa-p256', issuing: 'ecdsa-p256' },
    given: given ?? (() => Promise.reject(new Error('no root of others is named'))),
    store: store.authorities,
    leafTtl: 100_000,
    bundle: () => server.authority.bundle(),
    handOut: handOut ?? asGiven,
    audit: store.audit,
    clock: { now: () => now, sleep: () => Promise.resolve() },
    entropy: systemEntropy,
    log: silentLog,
  });
  const left = async () => [...(await keys.list()), ...(await issuingKeys.list())].map(({ id }) => id);
  const audited = async () => (await store.audit.find({ limit: 20 })).items.map(({ action }) => action);
  return { made, keys, left, audited, cleared: () => cleared };
}

describe('a rehearsal', () => {
  test('does each step, is on record, and leaves nothing behind', async () => {
    const { made, left, audited } = await rehearsal();
    const report = await made.rehearse({ ...ann, algorithm: 'ecdsa-p384' });
    expect(report.steps.map(({ name, result }) => `${name}: ${result}`)).toStrictEqual([
      'reach the key home: done',
      'list its keys: done',
      'make a root key: done',
      'sign a root certificate: done',
      'make an issuing key: done',
      'sign an issuing certificate: done',
      'hand the bundle to an SDS client and read it back: done',
      'destroy the root key: done',
      'destroy the issuing key: done',
    ]);
    expect(report.ok).toBe(true);
    expect(await left()).toStrictEqual([]);
    expect(await audited()).toStrictEqual(['rotation.rehearse.end', 'rotation.rehearse']);
  });

  test.each([
    { method: 'generate', failed: ['make a root key'], skipped: 3 },
    { method: 'list', failed: ['list its keys'], skipped: 0 },
    { method: 'destroy', failed: ['destroy the root key'], skipped: 0 },
    { method: 'check', failed: ['reach the key home'], skipped: 6 },
  ])('names the permission that is missing: $method', async ({ method, failed, skipped }) => {
    const { made } = await rehearsal({ home: { [method]: refuse(`grant ${method}`) } });
    const { ok, steps } = await made.rehearse(ann);
    expect(ok).toBe(false);
    expect(steps.filter(({ result }) => result === 'failed')).toMatchObject(
      failed.map((name) => ({
        name,
        detail: expect.stringContaining('the home refuses'),
        mend: `grant ${method}`,
      })),
    );
    expect(steps.filter(({ result }) => result === 'skipped')).toHaveLength(skipped);
  });

  test('of a root that others have made says what is not so, and leaves nothing of it', async () => {
    const { signer, key, certificate } = await newRoot();
    const other = await newRoot();
    const keys = createMemoryKeyManager();
    const given = (existing: Partial<ExistingAuthority>) => (): Promise<GivenRoot> =>
      givenByImport({
        existing: {
          certificate,
          intermediates: [],
          roots: [certificate],
          privateKey: async () => key.privateKeyPkcs8,
          ...existing,
        },
        trustDomain: 'example.org',
        serverId: 'server-1',
        store: memoryStore().authorities,
        rootKeys: async () => keys,
        issuingKeys: createMemoryKeyManager(),
        clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      });
    const run = async (existing: Partial<ExistingAuthority>, home: Partial<KeyManager> = {}) => {
      const { made, left } = await rehearsal({ keys, home, given: given(existing), now: new Date() });
      const { steps } = await made.rehearse({ ...ann, from: 'existing' });
      expect((await left()).filter((id) => id !== 'ours')).toStrictEqual([]);
      return steps
        .filter(({ result }) => result === 'failed')
        .map(({ name, detail }) => `${name}: ${detail}`);
    };
    expect(await run({})).toStrictEqual([]);
    expect(await run({ privateKey: async () => other.key.privateKeyPkcs8 })).toStrictEqual([
      expect.stringMatching(/^put its key there: .*does not belong to the authority/),
    ]);
    expect(await run({ roots: [other.certificate] })).toStrictEqual([
      expect.stringMatching(
        /^look at the root that the configuration names: the authority cannot be taken over/,
      ),
    ]);
    // A key that is in its home already is used there, and stays.
    await keys.import('ours', key.privateKeyPkcs8);
    expect(await run({ keyId: 'ours' })).toStrictEqual([]);
    expect((await keys.get('ours'))?.publicKey).toStrictEqual(signer.publicKey);
  });

  test('finds a home that keeps what it was told to destroy', async () => {
    const { made } = await rehearsal({ home: { destroy: async () => undefined } });
    expect((await made.rehearse(ann)).steps).toContainEqual(
      expect.objectContaining({
        result: 'failed',
        detail: expect.stringMatching(
          /^rehearsal-\S+-root may be left in the memory key home.*does not destroy/,
        ),
      }),
    );
  });

  test('finds that what arrives is not what was handed out', async () => {
    const clear = () => Promise.resolve();
    const other = Object.assign(
      async ({ certChain }: Parameters<HandOut>[0]) => ({
        chain: certChain[0] ?? '',
        bundle: toPem(new Uint8Array(8)),
        acceptedVersion: 'abc',
      }),
      { clear },
    );
    const { made, left } = await rehearsal({ handOut: other });
    const { ok, steps } = await made.rehearse(ann);
    expect(ok).toBe(false);
    expect(steps.find(({ result }) => result === 'failed')?.name).toContain('read it back');
    expect(await left()).toStrictEqual([]);
  });

  test('clears away what one that was killed left, its own alone', async () => {
    const keys = createMemoryKeyManager();
    const killed = await rehearsal({ keys, home: { destroy: refuse('the process is gone') } });
    await killed.made.rehearse(ann);
    const another = await rehearsal({ keys, serverId: 'server-2', home: { destroy: refuse('gone too') } });
    await another.made.rehearse(ann);
    await keys.generate('root-0123456789abcdef', 'ecdsa-p256');
    expect(await keys.list()).toHaveLength(3);
    const next = await rehearsal({ keys });
    await next.made.clear();
    expect(next.cleared()).toBe(1);
    expect((await keys.list()).map(({ id }) => id).toSorted(compareText)).toStrictEqual([
      expect.stringMatching(/^rehearsal-[0-9a-f]{8}-[0-9a-f]{12}-root$/),
      'root-0123456789abcdef',
    ]);
    expect(await next.audited()).toStrictEqual(['rotation.rehearse.clear']);
  });
});
