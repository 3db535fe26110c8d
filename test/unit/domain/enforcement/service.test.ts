import { expect, test, vi } from 'vitest';
import {
  createEnforcementService,
  type EnforcementRequest,
  type EnforcementRun,
  StrictOrders,
} from '../../../../src/domain/enforcement/index.ts';
import { noCalls } from '../../../../src/domain/evidence/calls.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, viewOf } from '../../../../src/domain/mesh/view.ts';
import type { MeshContent, Store } from '../../../../src/domain/ports/index.ts';
import { noMetrics } from '../../../../src/domain/ports/index.ts';
import { silentLog, systemEntropy } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { waitFor } from '../../../parts/index.ts';
import { counters, evidence } from '../evidence/samples.ts';
import { content, settings, workload } from '../mesh/samples.ts';
import { at, run, step } from './samples.ts';

const orders = workload('orders');
const web = workload('web');
const now = at(7_200);
const ada = { subject: 'operator:ada', proof: 'client-certificate' };

/** A service whose mesh says what it is given, at one moment; nothing refuses. */
async function service(
  { workloads }: Pick<MeshContent, 'workloads'>,
  { store = memoryStore(), before = [] }: { store?: Store; before?: readonly EnforcementRun[] } = {},
) {
  await store.enforcement.save(before);
  const held = new StrictOrders(store.enforcement);
  await held.load(now);
  const snapshot = () =>
    composeSnapshot(settings, [content(workloads)], undefined, undefined, (each) => held.holds(each));
  let known = snapshot();
  const watch = vi.fn();
  const mesh = {
    snapshot: () => known,
    view: (id: string) => viewOf(indexMesh(known), id),
    listenersAt: () => [],
    callerBehind: () => undefined,
    refresh: () => {
      known = snapshot();
    },
  };
  const called = { ...noCalls, callers: [{ address: '10.0.0.7', first: at(0), last: at(1), count: 1 }] };
  const clock = { now: () => now, sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 5)) };
  const of = createEnforcementService({
    mesh,
    evidence: {
      get: () =>
        evidence({ counters: counters({ observedAt: at(7_190) }), ports: new Map([[8080, called]]) }),
      refusals: () => [],
      watch,
    },
    orders: held,
    audit: store.audit,
    metrics: noMetrics,
    entropy: systemEntropy,
    clock,
    log: silentLog,
  });
  const enforce = (over: Partial<EnforcementRequest> = {}) => {
    const scope = over.scope ?? { kind: 'namespace', namespace: 'shop' };
    const { digest } = of.plan(scope, 3_600_000);
    const request = {
      scope,
      observe: 1,
      window: 3_600_000,
      revertWithin: undefined,
      force: false,
      reason: '',
    };
    return of.enforce({ ...request, digest, ...over }, ada);
  };
  return { of, held, store, watch, enforce, mesh };
}

test('one after the other, each journalled and audited before it holds', async () => {
  const { of, held, store, enforce, watch } = await service({ workloads: [orders, web] });
  await enforce();
  of.start();
  await waitFor(() => held.holds(orders), { what: 'the first to be told' });
  await of.close();
  const [saved] = await store.enforcement.list();
  expect(saved?.steps.map(({ state, known }) => [state, known])).toEqual([
    ['asked', ['10.0.0.7']],
    ['waiting', []],
  ]);
  expect(held.holds(web)).toBe(false);
  expect(watch).toHaveBeenCalledWith('test/shop/orders', ['10.0.0.7']);
  const { items } = await store.audit.find({ limit: 10 });
  expect(items.map(({ action, target }) => `${action} ${target}`).toReversed()).toEqual([
    'mtls.enforce.start namespace shop',
    'mtls.enforce.step test/shop/orders',
    'mtls.enforce.step test/shop/orders',
  ]);
  expect(of.runs()[0]?.waits).toEqual(['its proxy is not connected', 'its turn has not come']);
});

test('where nothing can be audited nothing is done', async () => {
  const store = memoryStore();
  const audit = { ...store.audit, append: () => Promise.reject(new Error('disk full')) };
  const { enforce } = await service({ workloads: [orders] }, { store: { ...store, audit } });
  await expect(enforce()).rejects.toThrow('disk full');
  expect(await store.enforcement.list()).toEqual([]);
});

test('another plan than the one that was seen is not done', async () => {
  const { enforce } = await service({ workloads: [orders] });
  await expect(enforce({ digest: 'other' })).rejects.toMatchObject({ code: 'Aborted' });
});

test('one that runs holds its scope; one elsewhere does not', async () => {
  const bank = workload('vault', { id: 'test/bank/vault', namespace: 'bank' });
  const { enforce } = await service({ workloads: [orders, bank] });
  await enforce();
  await expect(enforce({ scope: { kind: 'mesh' } })).rejects.toMatchObject({
    code: 'AlreadyExists',
    message: expect.stringContaining('operator:ada makes namespace shop strict'),
  });
  await enforce({ scope: { kind: 'namespace', namespace: 'bank' } });
});

test('one that halted is gone on with: what it made strict stays so, and is watched anew', async () => {
  const halted = run([step('orders', { state: 'done' }), step('web', { state: 'observing' }), step('cron')], {
    state: 'halted',
    halt: { kind: 'unknown', workload: web.id, reason: 'away', reverted: false },
  });
  const before = await service({ workloads: [orders, web, workload('cron')] }, { before: [halted] });
  const { id } = await before.enforce();
  const [old, next] = await before.store.enforcement.list();
  expect(old).toMatchObject({ id: 'a1', state: 'superseded' });
  expect(next).toMatchObject({ id, state: 'running', startedBy: 'operator:ada' });
  expect(next?.steps.map((each) => [each.workload, each.state])).toEqual([
    ['test/shop/cron', 'waiting'],
    ['test/shop/orders', 'done'],
    ['test/shop/web', 'asked'],
  ]);
  expect([orders, web].map((each) => before.held.holds(each))).toEqual([true, true]);
});

test('nothing left to do is said, not done', async () => {
  const done = run([step('orders', { state: 'done' })], { state: 'done' });
  const { enforce } = await service({ workloads: [orders] }, { before: [done] });
  await expect(enforce()).rejects.toMatchObject({
    message: expect.stringContaining('nothing of namespace shop'),
  });
});

test('who comes during an order is made strict too, and who comes after it is so from the start', async () => {
  const running = run([step('orders', { state: 'done' })]);
  const { of, held } = await service({ workloads: [orders, web] }, { before: [running] });
  expect(held.holds(web)).toBe(false);
  of.start();
  await waitFor(() => held.holds(web), { what: 'the newcomer to be told' });
  await of.close();

  const done = await service({ workloads: [orders, web] }, { before: [{ ...running, state: 'done' }] });
  expect(done.mesh.view(web.id)?.inbound.map(({ mode }) => mode)).toEqual(['STRICT']);
});

test('an order for what no registry has any more can be taken back', async () => {
  const gone = run([step('gone', { state: 'done' })], {
    scope: { kind: 'workload', namespace: 'shop', workload: 'test/shop/gone' },
    state: 'done',
  });
  const { of } = await service({ workloads: [orders] }, { before: [gone] });
  const { orders: ended } = await of.revert({ kind: 'workload', name: 'test/shop/gone' }, '', ada);
  expect(ended.map(({ id }) => id)).toEqual(['a1']);
  expect(of.runs()[0]?.state).toBe('reverted');
});

test('what a workload is watched for is that of the order that runs, whatever becomes of another', async () => {
  const known = ['10.0.0.7'];
  const running = run([step('orders', { state: 'observing', known })]);
  const halted = run([step('orders', { state: 'observing', known: ['10.0.0.9'] })], {
    id: 'b2',
    scope: { kind: 'mesh' },
    state: 'halted',
  });
  const bank = workload('vault', { id: 'test/bank/vault', namespace: 'bank' });
  const { of, watch } = await service({ workloads: [orders, bank] }, { before: [running, halted] });
  expect(watch).toHaveBeenLastCalledWith(orders.id, known);
  await of.revert({ kind: 'namespace', namespace: 'bank' }, '', ada);
  expect(watch).toHaveBeenLastCalledWith(orders.id, known);
});
