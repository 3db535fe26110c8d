import { describe, expect, test } from 'vitest';
import { createMemoryKeyManager } from '../../../../src/adapters/keys/memory/index.ts';
import type { KeyManager } from '../../../../src/domain/ports/index.ts';
import { createRehearsal, type HandOut } from '../../../../src/domain/rotation/index.ts';
import { CitadelError, compareText, silentLog, systemEntropy } from '../../../../src/kernel/index.ts';
import { toPem } from '../../../../src/pki/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { at } from './samples.ts';
import { ann, begun } from './world.ts';

const refuse = (details: string) => () =>
  Promise.reject(new CitadelError('PermissionDenied', 'the home refuses', { details }));

async function rehearsal({
  home = {},
  handOut,
  serverId = 'server-1',
  keys = createMemoryKeyManager(),
}: {
  readonly home?: Partial<KeyManager>;
  readonly handOut?: HandOut;
  readonly serverId?: string;
  readonly keys?: KeyManager;
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
    bundle: () => server.authority.bundle(),
    handOut: handOut ?? asGiven,
    audit: store.audit,
    clock: { now: () => at(0), sleep: () => Promise.resolve() },
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
