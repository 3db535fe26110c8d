import { expect, test } from 'vitest';
import { allowedRegions } from '../../../../../src/domain/policy/index.ts';
import { peer } from '../mesh.ts';
import { allow, deny, from, to, worldOf } from './worlds.ts';

const place = { workload: 'test/shop/cart', port: 8080 } as const;
const web = from({ principals: ['example.org/ns/shop/sa/web'] });

test('without policies everything may reach a port', () => {
  expect(allowedRegions(worldOf([]), place)).toMatchObject({
    regions: [{ region: { constraints: [] } }],
    complete: true,
  });
});

test('what is allowed, less what is denied', () => {
  const { regions, complete } = allowedRegions(
    worldOf([allow(web), deny(to({ methods: ['DELETE'] }))]),
    place,
  );
  expect(complete).toBe(true);
  expect(regions).toHaveLength(1);
  expect(regions[0]?.region.constraints).toMatchObject([
    { attribute: { kind: 'source' }, alternatives: [{ matches: [{ field: 'principals' }], except: [] }] },
    {
      attribute: { kind: 'method' },
      alternatives: [{ except: [{ field: 'ambiguous' }, { field: 'methods', patterns: ['DELETE'] }] }],
    },
  ]);
});

test('where mutual TLS is demanded nobody without it', () => {
  const { regions } = allowedRegions(worldOf([peer('shop/p', 'STRICT')]), place);
  expect(regions).toHaveLength(1);
  expect(regions[0]?.region.constraints).toMatchObject([
    { attribute: { kind: 'source' }, alternatives: [{ matches: [{ field: 'present' }], except: [] }] },
  ]);
});

test('a port that is not there is reached by nobody', () => {
  expect(allowedRegions(worldOf([]), { workload: 'test/shop/cart', port: 1 })).toMatchObject({ regions: [] });
});

test('under capture a port that nobody names is one of the others', () => {
  const world = worldOf([allow(to({ ports: ['443'] })), deny(web)]);
  const captured = {
    ...world,
    workloads: new Map([...world.workloads].map(([id, own]) => [id, { ...own, proxy: 'capture' as const }])),
  };
  const at = (port: number) => allowedRegions(captured, { workload: 'test/shop/cart', port }).regions;
  expect(at(443).map(({ witness }) => witness.request.destinationPort)).toEqual([443]);
  expect(at(444)).toEqual([]);
  expect(
    allowedRegions({ ...captured, policies: [] }, { workload: 'test/shop/cart', port: 444 }).regions.map(
      ({ witness }) => witness.request.destinationPort,
    ),
  ).toEqual([444]);
});
