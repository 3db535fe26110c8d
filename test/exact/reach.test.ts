import { expect, test } from 'vitest';
import { accessOf, callerOf, type PolicyWorld, whatReaches } from '../../src/domain/policy/index.ts';
import { Random } from '../oracle/generate/index.ts';
import { everyRequest } from './check.ts';
import { isInRegion } from './membership.ts';
import { randomPair } from './pairs.ts';
import { Decider, type Place, placesOf } from './place.ts';
import { seen } from './seen.ts';
import { told } from './told.ts';

function accessAt(world: PolicyWorld, place: Place) {
  const workload = world.workloads.get(place.workload);
  return accessOf(world, workload ? [{ workload, port: place.port, services: [] }] : []);
}

test('who may reach a port is just who is let in, and each example is', () => {
  const random = new Random(20_261_130);
  let [requests, allowed] = [0, 0];
  for (let round = 0; round < 30; round += 1) {
    const { before: world } = randomPair(random, round);
    for (const place of placesOf([world])) {
      const decider = new Decider(world, place);
      const [port] = accessAt(world, place);
      expect(port).toMatchObject({ enforced: true, complete: true });
      const { access } = port ?? { access: [] };
      for (const { example } of access) expect(decider.allows(example)).toBe(true);
      for (const trial of everyRequest(random, 80, world)(decider.policies, place).trials()) {
        const known = seen(trial, world);
        if (known.request.http && known.path === undefined) continue;
        const is = decider.allows(trial);
        const says = access.some(({ region }) => isInRegion(region, known) === true);
        const fault =
          says === is ? '' : `says ${says}: ${JSON.stringify([place, trial, access])}\n${told(world)}`;
        expect(fault).toBe('');
        requests += 1;
        if (is) allowed += 1;
      }
    }
  }
  expect(requests).toBeGreaterThan(2000);
  expect(allowed / requests).toBeGreaterThan(0.1);
});

test('what a caller may reach is just where it is let in', () => {
  const random = new Random(20_261_131);
  const callers = ['plaintext', 'spiffe://mesh.test/ns/shop/sa/web', 'spiffe://other.test/ns/bank/sa/web'];
  let [requests, allowed] = [0, 0];
  for (let round = 0; round < 25; round += 1) {
    const { before: world } = randomPair(random, round);
    const from = random.pick(callers);
    const { identity } = callerOf(world, from);
    const { ports } = whatReaches(world, from);
    for (const place of placesOf([world]).filter(({ of }) => of !== 'other')) {
      if (world.workloads.get(place.workload)?.ports.every(({ port }) => port !== place.port)) continue;
      const decider = new Decider(world, place);
      const port = ports.find((each) => each.port === place.port && each.workloads.includes(place.workload));
      const ways = (isPlaintext: boolean) =>
        port?.access.filter(({ conditions }) => conditions.includes('in plaintext') === isPlaintext) ?? [];
      // Ways in plaintext are told where its calls come so; then whoever calls does not show.
      const isPlaintextToo = ways(true).length > 0;
      const trials = [...everyRequest(random, 60, world)(decider.policies, place).trials()];
      for (const isPlaintext of isPlaintextToo ? [false, true] : [false])
        for (const { request, providers } of trials) {
          const sourcePrincipal = isPlaintext ? undefined : identity;
          const trial = { providers, request: { ...request, sourcePrincipal } };
          const known = seen(trial, world);
          if (known.request.http && known.path === undefined) continue;
          const open = ways(isPlaintext).some(({ region }) => isInRegion(region, known) === true);
          const fault =
            open === decider.allows(trial)
              ? ''
              : `says ${open}: ${JSON.stringify([place, trial])}\n${told(world)}`;
          expect(fault).toBe('');
          requests += 1;
          if (open) allowed += 1;
        }
    }
  }
  expect(requests).toBeGreaterThan(1000);
  expect(allowed / requests).toBeGreaterThan(0.1);
});
