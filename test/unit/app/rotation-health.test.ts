import { expect, test } from 'vitest';
import { rotationProbes } from '../../../src/app/rotation-health.ts';
import type { RotationStatus } from '../../../src/domain/rotation/index.ts';
import { gateOf } from '../../../src/domain/rotation/index.ts';
import { memoryRotations } from '../../fakes/memory-rotations.ts';
import { at, authorities, authority, evidence, leaf, report, rotation } from '../domain/rotation/samples.ts';

const hour = 3_600;

async function run(
  name: string,
  seconds: number,
  status: Partial<RotationStatus> = {},
  {
    known = ['memory'],
    check,
    records = authorities,
  }: { known?: readonly string[]; check?: () => Promise<void>; records?: typeof authorities } = {},
) {
  const rotationStatus = {
    rotation: undefined,
    activeRoot: 'old',
    gate: undefined,
    obstacle: undefined,
    keysLeft: [],
    ...status,
  };
  const store = memoryRotations();
  if (rotationStatus.rotation) await store.save(rotationStatus.rotation);
  const probes = rotationProbes(
    { records: () => records },
    { current: () => store.current(), status: () => Promise.resolve(rotationStatus) },
    {
      longestPhase: 2 * hour * 1000,
      formerHome: { knows: (backend) => known.includes(backend), check },
      clock: { now: () => at(seconds) },
    },
  );
  return probes.find((probe) => probe.name === name)?.run(AbortSignal.timeout(1000));
}

test('the active root is told of at 80 % of its life', async () => {
  // From -100 to 10 000.
  expect(await run('root', 7_970)).toBeUndefined();
  expect(await run('root', 7_990)).toBe('the active root ends at 2030-01-01T02:46:40.000Z');
});

test('so is an authority between it and those that issue, which may end sooner', async () => {
  const between = { kind: 'intermediate', rootFingerprint: 'old', notAfter: at(1_000) } as const;
  const records = [...authorities, authority('between', 'active', between)];
  expect(await run('root', 700, {}, { records })).toBeUndefined();
  expect(await run('root', 800, {}, { records })).toMatch(/^the active intermediate authority ends at 2030/);
  const replaced = [...authorities, authority('between', 'retired', between)];
  expect(await run('root', 800, {}, { records: replaced })).toBeUndefined();
});

test('a rotation is told of when its phase has outlived two certificates', async () => {
  const gate = gateOf(rotation(), 'distribute', evidence([leaf()], []));
  const waiting = { rotation: rotation(), gate };
  expect(await run('rotation', 2 * hour - 1, waiting)).toBeUndefined();
  expect(await run('rotation', 2 * hour, waiting)).toMatch(/distribute since 2030.*waits for 1 proxies/);
  expect(await run('rotation', 2 * hour, { rotation: rotation() })).toMatch(/waits for an operator/);
  expect(await run('rotation', 2 * hour, { rotation: rotation({ phase: 'done' }) })).toBeUndefined();
});

test('a rotation that was kept from going on says by what', async () => {
  const waiting = { rotation: rotation({ phase: 'retire' }), obstacle: 'Vault is sealed' };
  expect(await run('rotation', 2 * hour, waiting)).toBe('in phase retire, and cannot go on: Vault is sealed');
});

test('the home of the old root’s key is looked at, and told of where nothing names it', async () => {
  expect(await run('former-root-key', 0)).toBeUndefined();
  expect(await run('former-root-key', 0, {}, { known: ['vault'] })).toMatch(
    /root-old is in the memory key home, which the configuration does not name/,
  );
  // In retire the old root is no longer among the active ones, and its key is still to be destroyed.
  const records = authorities.map((record) => ({
    ...record,
    keyBackend: record.fingerprint === 'old' ? 'disk' : 'memory',
    state: record.fingerprint === 'old' ? ('retired' as const) : ('active' as const),
  }));
  const retiring = { rotation: rotation({ phase: 'retire' }) };
  expect(await run('former-root-key', 0, retiring, { records })).toMatch(/in the disk key home/);
  expect(await run('former-root-key', 0, {}, { records })).toBeUndefined();
  const check = () => Promise.reject(new Error('sealed'));
  await expect(run('former-root-key', 0, {}, { check })).rejects.toThrow('sealed');
});

test('a canary that is stopped is told of at once, by whom and why', async () => {
  const watched = { proxyKey: 'web-1', fromStart: true, since: undefined, failedBefore: 0 };
  const halt = { at: at(1), reason: 'refused the bundle: no' };
  const canary = { selectors: ['sa=web'], upTo: undefined, watch: 1, allowedFailures: 0, auto: false };
  const told = (stopped: typeof halt | undefined) => {
    const present = rotation({
      phase: 'canary',
      canary: { ...canary, watched: [{ ...watched, halt: stopped }] },
    });
    const gate = gateOf(present, 'canary', evidence([leaf()], [report('only-old')]));
    return run('rotation', 2, { rotation: present, gate });
  };
  expect(await told(undefined)).toBeUndefined();
  expect(await told(halt)).toMatch(/stopped by spiffe:.*sa\/web \(web-1\): halted: refused the bundle: no/);
});
