import { expect, test } from 'vitest';
import {
  alikeCallees,
  explainCall,
  type PolicyWorld,
  replay,
  runPolicyTest,
  type TestCase,
} from '../../src/domain/policy/index.ts';
import { decisionRecord } from '../contract/store-samples.ts';
import { Random } from '../oracle/generate/index.ts';
import { everyRequest } from './check.ts';
import { randomPair } from './pairs.ts';
import { Decider, type Place, placesOf, type Trial } from './place.ts';
import { seen } from './seen.ts';
import { told } from './told.ts';

const now = new Date('2030-01-01T00:00:00Z');

function explained(world: PolicyWorld, { workload: id, port }: Place, { request, providers }: Trial) {
  const workload = world.workloads.get(id);
  const [callees] = alikeCallees(world, workload ? [{ workload, port, services: [] }] : []);
  if (!callees) throw new Error('nobody is called');
  const { http, sourcePrincipal, sourceIp, remoteIp, destinationIp, sni = '', jwt, metadata = {} } = request;
  return explainCall({
    world,
    caller: { identity: sourcePrincipal, workloads: [] },
    callees,
    now,
    call: {
      ...http,
      transport: sourcePrincipal === undefined ? 'plaintext' : 'mtls',
      withQuery: true,
      headers: http?.headers ?? {},
      noOtherHeaders: true,
      token: jwt ?? 'none',
      sourceIp,
      remoteIp,
      destinationIp,
      sni,
      answers: new Map(Object.entries(providers)),
      metadata,
    },
  });
}

/** What a proxy tells of it afterwards, decided again under the same policies. */
function replayed(world: PolicyWorld, { workload, port }: Place, trial: Trial, isAllowed: boolean) {
  const { request } = trial;
  const record = decisionRecord({
    workload,
    port,
    transport: request.sourcePrincipal === undefined ? 'plaintext' : 'mtls',
    caller: request.sourcePrincipal,
    addresses: [request.sourceIp],
    method: request.http?.method,
    path: seen(trial, world).path,
    host: request.http?.host,
    serverName: request.sni,
    decision: isAllowed ? 'allowed' : 'denied',
    refusedBy: isAllowed ? undefined : 'policies',
    policy: undefined,
    rule: undefined,
    lacks: [],
  });
  return replay([record], world, world);
}

function tested(world: PolicyWorld, { workload, port }: Place, { request, providers }: Trial) {
  const { http, sourcePrincipal, sourceIp, remoteIp, sni, jwt, metadata } = request;
  const [namespace = '', name = ''] = workload.split('/');
  const call: TestCase['calls'][number] = {
    from: sourcePrincipal === undefined ? { kind: 'plaintext' } : { kind: 'spiffe', id: sourcePrincipal },
    to: { namespace, name, port },
    method: http?.method,
    path: http?.path,
    host: http?.host,
    headers: http?.headers ?? {},
    token: jwt,
    ip: sourceIp,
    remoteIp,
    sni: sni ?? '',
    custom: providers,
    metadata,
  };
  const cases: readonly TestCase[] = [
    { name: 'it', place: { line: 1, column: 1 }, calls: [call], expect: 'allowed', by: undefined },
  ];
  const run = runPolicyTest(
    { name: 'same', source: 'T', policies: [], world: { kind: 'given' }, cases },
    world,
    now,
  );
  return run.made[0]?.outcome.outcome;
}

test('explain, replay and tests say of a call what its proxy decides', () => {
  const random = new Random(20_261_201);
  let [calls, allowed, replays] = [0, 0, 0];
  for (let round = 0; round < 36; round += 1) {
    const { before: world } = randomPair(random, round);
    for (const place of placesOf([world]).filter(({ of }) => of !== 'other')) {
      const decider = new Decider(world, place);
      const destinationIp = world.workloads.get(place.workload)?.addresses[0] ?? '';
      for (const { request, ...rest } of everyRequest(random, 40, world)(decider.policies, place).trials()) {
        // Tests and records have it of the registry.
        const trial = { ...rest, request: { ...request, destinationIp } };
        if (trial.request.http && seen(trial, world).path === undefined) continue;
        const isAllowed = decider.allows(trial);
        const { verdict, transport } = explained(world, place, trial);
        const again = replayed(world, place, trial, isAllowed);
        const isAgreed = verdict === (isAllowed ? 'allow' : 'deny') && again.mismatches.length === 0;
        // Where mutual TLS is off the caller of a test calls without it, and nobody else can.
        const outcome = transport.mode === 'DISABLE' ? verdict : tested(world, place, trial);
        const isTested = transport.mode === 'DISABLE' || (outcome === 'allowed') === isAllowed;
        expect(
          isAgreed && isTested
            ? ''
            : JSON.stringify([{ isAllowed, verdict, outcome, again }, place, trial, told(world)]),
        ).toBe('');
        calls += 1;
        if (isAllowed) allowed += 1;
        if (again.undecided.length === 0) replays += 1;
      }
    }
  }
  expect(calls).toBeGreaterThan(2000);
  expect(allowed / calls).toBeGreaterThan(0.1);
  expect(replays / calls).toBeGreaterThan(0.3);
}, 60_000);
