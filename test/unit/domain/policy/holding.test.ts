import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexPolicies, type Policy, policiesByWorkload } from '../../../../src/domain/policy/index.ts';
import { policiesOf } from '../../../../src/domain/policy/select.ts';
import { mesh, peer, policy, service, workload } from './mesh.ts';

const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'zone'), fc.constantFrom('', 'a', 'b'), {
  noNullPrototype: true,
});
const namespace = fc.constantFrom('shop', 'away', 'root');
const name = fc.constantFrom('a', 'b', 'c');
const meshes = fc.record({
  workloads: fc.array(fc.tuple(namespace, labels), { maxLength: 12 }),
  policies: fc.array(
    fc.tuple(
      namespace,
      fc.oneof(
        labels.map((matchLabels) => ({ selector: { matchLabels } })),
        name.map((target) => ({ targetRefs: [{ kind: 'Service', group: '', name: target }] })),
        fc.constant({}),
      ),
    ),
    { maxLength: 8 },
  ),
  behind: fc.array(fc.tuple(namespace, name, fc.nat(11)), { maxLength: 12 }),
});

describe('the policies of all workloads', () => {
  it('are those of each, one list for each content', () => {
    fc.assert(
      fc.property(meshes, ({ workloads: given, policies, behind }) => {
        const workloads = given.map(([ns, own], at) => workload(`${ns}/w${at}`, { labels: own }));
        const services = behind.flatMap(([ns, each, at]) => {
          const chosen = workloads[at];
          return chosen ? [service(`${ns}/${each}`, chosen)] : [];
        });
        const snapshot = mesh(
          workloads,
          policies.map(([ns, spec], at) => policy(`${ns}/p${at}`, spec)),
          services,
        );
        const index = indexPolicies(snapshot);
        const all = policiesByWorkload(index, workloads);
        for (const each of workloads) expect(all.get(each.id)).toEqual(policiesOf(index, each));
        const lists = new Set(all.values());
        const contents = new Set([...lists].map((list) => list.map(({ meta }) => meta.name).join()));
        expect(lists.size).toBe(contents.size);
      }),
    );
  });

  it('stay the same lists where nothing has changed for them', () => {
    const [web, other] = [workload('shop/web', { labels: { app: 'web' } }), workload('shop/other')];
    const mine = policy('shop/mine', { selector: { matchLabels: { app: 'web' } } });
    const all = policy('shop/all', {});
    const over = (...policies: readonly Policy[]) => indexPolicies(mesh([web, other], policies));
    const before = policiesByWorkload(over(mine, all), [web, other]);
    const strict = peer('shop/web', 'STRICT', 'web');
    const after = policiesByWorkload(over(mine, all, strict), [web, other], before);
    expect(after.get(other.id)).toBe(before.get(other.id));
    expect(after.get(web.id)).not.toBe(before.get(web.id));
  });
});
