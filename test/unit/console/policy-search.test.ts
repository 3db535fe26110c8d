import { expect, it } from 'vitest';
import { filterPolicies } from '../../../src/console/policy-search.ts';

const policy = (namespace: string, name: string, source = 'store') => ({
  kind: 'AuthorizationPolicy',
  namespace,
  name,
  source,
  stored: true,
  generation: 1,
  workloads: 0,
  current: 0,
  pending: 0,
  refused: 0,
  warnings: 0,
});

it('finds policies by each word, in their names, kinds and sources, by namespace', () => {
  const all = [policy('shop', 'web'), policy('bank', 'web'), policy('shop', 'cron', 'a.yaml:3')];
  const names = (search: string) =>
    filterPolicies(all, search).map(({ namespace, name }) => `${namespace}/${name}`);
  expect(names('')).toEqual(['bank/web', 'shop/cron', 'shop/web']);
  expect(names('WEB  shop')).toEqual(['shop/web']);
  expect(names('a.yaml')).toEqual(['shop/cron']);
  expect(names('peer')).toEqual([]);
});
