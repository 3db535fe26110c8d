import { expect, it } from 'vitest';
import { judgePolicy } from '../../../../src/domain/policy/index.ts';
import { mesh, policy, workload } from './mesh.ts';

const object = (spec: object, metadata: object = {}) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { namespace: 'shop', name: 'web', ...metadata },
  spec,
});
const namespaces = (...names: string[]) => ({ from: [{ source: { namespaces: names } }] });
const snapshot = {
  ...mesh([workload('shop/web')], [policy('shop/web', { rules: [{}] }), policy('shop/all', { rules: [{}] })]),
  version: 'v',
};
const { settings } = snapshot;
const rulesOf = (given: object, tellAll = true) =>
  judgePolicy(given, 'kubernetes', { settings, snapshot: tellAll ? snapshot : undefined }).warnings.map(
    ({ rule, object: { name } }) => `${name} ${rule}`,
  );

it('warns of the one policy, among all the others', () => {
  expect(rulesOf(object({ rules: [namespaces('shop')] }))).toEqual(['web covered-rule']);
  expect(
    rulesOf(object({ selector: { matchLabels: { app: 'none' } }, rules: [namespaces('shop')] })),
  ).toContain('web selector-matches-nothing');
});

it('takes it for the one of its name, not for one beside that', () => {
  const alone = { ...snapshot, policies: [policy('shop/web', { rules: [{}] })] };
  const { warnings } = judgePolicy(object({ rules: [namespaces('shop')] }), 'kubernetes', {
    settings,
    snapshot: alone,
  });
  expect(warnings).toEqual([]);
});

it('tells who must not know of the mesh only what the policy says by itself', () => {
  const spec = {
    selector: { matchLabels: { app: 'none' } },
    rules: [namespaces('Shop'), namespaces('Shop')],
  };
  expect(rulesOf(object(spec), false)).toEqual([
    'web identity-in-upper-case',
    'web identity-in-upper-case',
    'web covered-rule',
  ]);
  const elsewhere = object({
    action: 'CUSTOM',
    provider: { name: 'asked' },
    targetRefs: [{ kind: 'Service', name: 'web' }],
    rules: [{}],
  });
  expect(rulesOf(elsewhere, false)).toEqual([]);
});

it('passes over the bookkeeping of an API server, and nothing that an author wrote', () => {
  const stored = {
    uid: 'u',
    managedFields: [],
    novelty: 1,
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  };
  const judge = (given: object) =>
    judgePolicy(given, 'kubernetes', { settings, snapshot: undefined }).problems;
  expect(judge(object({}, stored))).toEqual([]);
  expect(judge(object({}, { annotations: { 'istio.io/dry-run': 'yes' } }))).toMatchObject([
    { path: expect.stringContaining('istio.io/dry-run') },
  ]);
  expect(judge(object({}, { labels: 'no' }))).toHaveLength(1);
});
