import { beforeEach, describe, expect, it } from 'vitest';
import type { MeshSnapshot, ShadowStanding } from '../../../../src/domain/mesh/index.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { createPolicyService, type PolicyService } from '../../../../src/domain/policy/index.ts';
import {
  createShadowService,
  type ShadowService,
  type ShadowTally,
} from '../../../../src/domain/shadow/index.ts';
import { systemClock } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { settings } from '../mesh/samples.ts';

const ann = { subject: 'operator:ann', proof: 'client-certificate' };
const policy = (name: string, spec: string) => ({
  source: `${name}.yaml`,
  text: `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`,
});
const deny = (name: string, path: string) =>
  policy(name, `{ action: DENY, rules: [{ to: [{ operation: { paths: ["${path}"] } }] }] }`);
const custom = policy('c', '{ action: CUSTOM, provider: { name: asker }, rules: [{}] }');
const strict = {
  source: 'p.yaml',
  text: `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: STRICT } }
`,
};

const workload = 'files/shop/orders';
const trial = '0123456789ab';
const standing = (is: ShadowStanding['standing'], refusesTrial = false): ShadowStanding => ({
  workload,
  trial,
  standing: is,
  detail: undefined,
  since: undefined,
  refusesTrial,
});

const tally = (rest: Partial<ShadowTally> = {}): ShadowTally => ({
  workload,
  trial,
  each: 1,
  sampled: 0,
  different: 0,
  unknown: 0,
  last: new Date(),
  differences: [],
  more: 0,
  earlier: 0,
  ...rest,
});

describe('a change that is tried', () => {
  let store: ReturnType<typeof memoryStore>;
  let policies: PolicyService;
  let shadow: ShadowService;
  let proxies: ShadowStanding['standing'];
  let refusesTrial: boolean;
  let seen: readonly ShadowTally[];

  beforeEach(async () => {
    store = memoryStore();
    proxies = 'current';
    refusesTrial = false;
    seen = [tally()];
    const given = { store: store.policies, audit: store.audit, clock: systemClock };
    const changed = () => Promise.resolve();
    policies = createPolicyService({ ...given, snapshot: () => undefined, changed });
    let snapshot: MeshSnapshot | undefined;
    shadow = createShadowService({
      ...given,
      policies,
      mesh: {
        snapshot: () => snapshot,
        shadows: () => [standing(proxies, refusesTrial)],
        sources: () => [],
      },
      observer: {
        seen: async () => ({
          watches: [{ id: 'a', since: new Date(), until: new Date(), closed: false }],
          tallies: seen,
        }),
      },
      evidence: { get: () => undefined },
      changed: async () => {
        const id = (await store.policies.candidate())?.id;
        snapshot = {
          ...composeSnapshot(settings, []),
          candidate: id === undefined ? undefined : { id, policies: [] },
        };
      },
    });
    await policies.apply({ texts: [deny('a', '/one')], remove: [] }, 0, ann, '');
  });

  const begin = () => shadow.start({ texts: [deny('a', '/two')], remove: [] }, 1, ann, 'a try');
  const promote = async (force = false, reason = 'seen enough') =>
    shadow.promote({ id: (await shadow.status())?.candidate.id ?? '', author: ann, force, reason });
  const held = async () => JSON.stringify((await store.policies.current()).policies.map(({ text }) => text));
  const audited = async () =>
    (await store.audit.find({ limit: 20 })).items.map(({ action, outcome }) => `${action} ${outcome}`);

  it('holds for nothing until it is promoted, and then just it holds', async () => {
    await begin();
    expect(await held()).toContain('/one');
    expect(await shadow.status()).toMatchObject({
      candidate: { base: 1, by: 'operator:ann', reason: 'a try' },
      revision: 1,
      doubts: [],
    });
    expect(await promote()).toMatchObject({ revision: 2 });
    expect(await held()).toContain('/two');
    expect(await shadow.status()).toBeUndefined();
    expect((await audited()).slice(0, 2)).toEqual([
      'policy.shadow.promote allowed',
      'policy.shadow.start allowed',
    ]);
  });

  it('holds for the reason for which it was tried, where it is promoted without one', async () => {
    await begin();
    await promote(false, '');
    const { items } = await store.policies.history({ limit: 1 });
    expect(items[0]).toMatchObject({ revision: 2, reason: 'a try' });
  });

  it('also takes policies away, and what comes back is what was there', async () => {
    const key = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'a' };
    await shadow.start({ texts: [], remove: [key] }, 1, ann, '');
    await promote();
    expect(await held()).toBe('[]');
  });

  it('is taken back without a trace in what holds', async () => {
    await begin();
    const { candidate } = (await shadow.status()) ?? expect.fail('nothing is tried');
    await shadow.revert({ id: candidate.id, author: ann, reason: 'no use' });
    expect(await shadow.status()).toBeUndefined();
    expect((await store.policies.current()).revision).toBe(1);
    await expect(shadow.revert({ id: candidate.id, author: ann, reason: '' })).rejects.toMatchObject({
      code: 'NotFound',
    });
    expect((await audited())[0]).toBe('policy.shadow.revert allowed');
  });

  it.each([
    ['a proxy has not taken it', () => (proxies = 'pending'), /not taken the candidate/],
    ['a proxy refuses it', () => (proxies = 'refused'), /not taken the candidate/],
    ['nothing was observed', () => (seen = []), /nothing was observed/],
    [
      'nothing was observed beside the policies that hold by now',
      () => (seen = [tally({ trial: 'ba9876543210' })]),
      /policies that hold were changed/,
    ],
  ])('is promoted by force and with a reason alone, where %s', async (_, doubt, told) => {
    doubt();
    await begin();
    await expect(promote()).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(told),
    });
    expect((await audited())[0]).toBe('policy.shadow.promote refused');
    await expect(promote(true, '')).rejects.toMatchObject({ code: 'InvalidArgument' });
    expect(await held()).toContain('/one');
    await promote(true);
    expect(await held()).toContain('/two');
  });

  it('is not promoted where a proxy refuses it, not by force either', async () => {
    [proxies, refusesTrial] = ['refused', true];
    await begin();
    for (const force of [false, true])
      await expect(promote(force)).rejects.toMatchObject({
        code: 'FailedPrecondition',
        message: expect.stringContaining('would not hold there either'),
      });
    expect((await audited())[0]).toBe('policy.shadow.promote refused');
    expect(await held()).not.toContain('/two');
  });

  it('is told with what counts, what does no more, and what went elsewhere', async () => {
    await begin();
    seen = [
      tally({ each: 2, sampled: 3, earlier: 4 }),
      tally({ workload: 'files/shop/gone', each: 5, sampled: 1 }),
    ];
    expect(await shadow.status()).toMatchObject({
      workloads: [{ workload, each: 2, sampled: 3, earlier: 4 }],
      elsewhere: 6,
    });
    seen = [tally({ each: 2, sampled: 3, earlier: 4, more: 1, trial: 'ba9876543210' })];
    expect(await shadow.status()).toMatchObject({
      workloads: [{ workload, each: 0, sampled: 0, earlier: 9 }],
      elsewhere: 0,
      more: 0,
    });
  });

  it('is not promoted over what others changed, not by force either', async () => {
    await begin();
    await policies.apply({ texts: [deny('b', '/b')], remove: [] }, 1, ann, 'meanwhile');
    for (const force of [false, true])
      await expect(promote(force)).rejects.toMatchObject({
        code: 'Aborted',
        message: expect.stringContaining('for which this was made'),
      });
    expect(await held()).not.toContain('/two');
  });

  it('is one at a time, of the revision that its author saw, and something', async () => {
    await begin();
    await expect(begin()).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(shadow.start({ texts: [deny('a', '/x')], remove: [] }, 0, ann, '')).rejects.toMatchObject({
      code: 'Aborted',
    });
    const same = { texts: [deny('a', '/one')], remove: [] };
    await expect(shadow.start(same, 1, ann, '')).rejects.toMatchObject({ code: 'FailedPrecondition' });
  });

  it('is refused of what can only be enforced: what a policy is, or becomes', async () => {
    const planned = async (...texts: readonly { source: string; text: string }[]) =>
      (await shadow.plan({ texts, remove: [] })).problems.map(({ source }) => source);
    expect(await planned(custom, strict, deny('d', '/d'))).toEqual([
      'AuthorizationPolicy/shop/c',
      'PeerAuthentication/shop/default',
    ]);
    await expect(shadow.start({ texts: [custom], remove: [] }, 1, ann, '')).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    await policies.apply({ texts: [custom], remove: [] }, 1, ann, '');
    expect(await planned(deny('c', '/c'))).toEqual(['AuthorizationPolicy/shop/c']);
  });
});
