import { beforeEach, describe, expect, it } from 'vitest';
import { createPolicyService, type PolicyService } from '../../../../src/domain/policy/index.ts';
import { systemClock } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';

const ann = { subject: 'operator:ann', proof: 'client-certificate' };
const key = (name: string) => ({ kind: 'AuthorizationPolicy', namespace: 'shop', name });
const deny = (name: string, path: string) => ({
  source: `${name}.yaml`,
  text: `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["${path}"] } }] }] }
`,
});

describe('what is kept here goes back to any revision', () => {
  let store: ReturnType<typeof memoryStore>;
  let policies: PolicyService;
  /** Three revisions: a at /one; b; a at /two. */
  beforeEach(async () => {
    store = memoryStore();
    policies = createPolicyService({
      store: store.policies,
      audit: store.audit,
      clock: systemClock,
      snapshot: () => undefined,
      changed: () => Promise.resolve(),
    });
    for (const [expected, text] of [deny('a', '/one'), deny('b', '/b'), deny('a', '/two')].entries())
      await policies.apply({ texts: [text], remove: [] }, expected, ann, '');
  });
  const back = async (revision: number, ...names: readonly string[]) => {
    const change = await policies.restoring({ revision, keys: names.map(key) });
    const { revision: seen } = await policies.plan(change);
    return policies.apply(change, seen, ann, 'too much');
  };
  const held = async () =>
    (await store.policies.current()).policies.map(
      ({ name, text = '' }) => `${name} ${/- (\/\w+)$/m.exec(text)?.[1]}`,
    );

  it.each([
    ['all of it', 1, [], ['a /one'], ['update', 'remove']],
    ['one policy', 1, ['a'], ['a /one', 'b /b'], ['update']],
    ['one policy to when it was not there', 1, ['b'], ['a /two'], ['remove']],
    ['to before the first', 0, [], [], ['remove', 'remove']],
    ['to what is there', 3, [], ['a /two', 'b /b'], ['unchanged', 'unchanged']],
  ])('%s', async (_, revision, names, expected, effects) => {
    const done = await back(revision, ...names);
    expect(await held()).toEqual(expected);
    expect(done.effects.map(({ kind }) => kind)).toEqual(effects);
    expect(done.revision).toBe(effects.includes('unchanged') ? 3 : 4);
  });

  it('and forth again: nothing that was is lost', async () => {
    await back(0);
    await back(3);
    expect(await held()).toEqual(['a /two', 'b /b']);
    expect((await policies.kept(1)).policies.map(({ name }) => name)).toEqual(['a']);
  });

  it('says in the history and in the record who went back, to what, and why', async () => {
    await back(1, 'a');
    const { items } = await policies.history({ limit: 1 });
    expect(items).toMatchObject([
      { revision: 4, by: 'operator:ann', reason: 'back to revision 1: too much' },
    ]);
    expect((await store.audit.find({ action: 'policy.rollback', limit: 1 })).items).toMatchObject([
      { outcome: 'allowed', reason: 'too much', details: { restores: '1', expected: '3' } },
    ]);
  });

  it('names what was never there', async () => {
    await expect(policies.restoring({ revision: 9, keys: [] })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(policies.restoring({ revision: 1, keys: [key('c')] })).rejects.toThrow(
      'AuthorizationPolicy/shop/c was not kept here at revision 1',
    );
  });
});
