import { describe, expect, test } from 'vitest';
import type {
  ConsumerResource,
  HandshakeTally,
  LiveLeaf,
  ProxyReport,
  RootRotation,
  RotationCanary,
} from '../../../../src/domain/ports/index.ts';
import { planCanary, watchCanary } from '../../../../src/domain/rotation/canary.ts';
import { decideRotation, gateOf } from '../../../../src/domain/rotation/index.ts';
import { at, evidence, leaf, report, resource, rotation, authorities as widened } from './samples.ts';

const authorities = widened.map((each) =>
  each.id === 'root-new' ? { ...each, state: 'staged' as const } : each,
);
const shop = 'spiffe://example.org/ns/shop/sa';
const failures = (untrusted: number) => ({ untrusted, otherIdentity: 0, noCertificate: 0, connection: 0 });

/** What its Envoy has counted so far. */
function tally(untrusted: number, seconds: number): HandshakeTally {
  const counted = { downstream: failures(0), upstream: failures(untrusted) };
  return { last: { startedAt: at(-500), observedAt: at(seconds), ...counted }, ...counted };
}

/** One moment of two proxies: web, which is chosen, says what is given; db is not chosen and knows the old root alone. */
function moment(
  seconds: number,
  web: Partial<ProxyReport> | undefined,
  more: { leaf?: Partial<LiveLeaf> } = {},
) {
  const given = { ...report('both', [resource({ inUse: 'both' })]), ...web };
  const db = report('only-old', [], { proxyKey: 'db-1', spiffeId: `${shop}/db` });
  const leaves = [
    leaf({ notAfter: at(9_000), ...more.leaf }),
    leaf({ serial: '02', proxyKey: 'db-1', spiffeId: `${shop}/db`, notAfter: at(9_000) }),
  ];
  return { ...evidence(leaves, [...(web ? [given] : []), db]), now: at(seconds) };
}

const using = (untrusted: number, seconds: number) => ({ handshakes: tally(untrusted, seconds) });
const says = (changes: Partial<ConsumerResource>, seconds = 0, agent = 'both') => ({
  ...report(agent, [resource(changes)]),
  handshakes: tally(0, seconds),
});

function started(changes: Partial<RotationCanary> = {}, before = moment(0, using(3, 0))): RootRotation {
  const order = { selectors: ['sa=web'], watch: 60_000 };
  return rotation({ phase: 'canary', canary: { ...planCanary('a', order, before), ...changes } });
}

/** What is stored after all of these moments, and the gate at the last of them. */
function after(begun: RootRotation, ...moments: readonly ReturnType<typeof moment>[]) {
  let present = begun;
  for (const seen of moments) {
    if (!present.canary) throw new Error('no canary');
    present = { ...present, canary: watchCanary(present, present.canary, seen).canary };
  }
  const last = moments.at(-1) ?? moment(0, undefined);
  return { present, gate: gateOf(present, 'canary', last), last };
}

describe('the canary gate', () => {
  type Case = [
    what: string,
    moments: ReturnType<typeof moment>[],
    open: boolean,
    changes?: Partial<RotationCanary>,
  ];
  const cases: Case[] = [
    ['not yet in use', [moment(1, says({ sent: 'both' })), moment(99, says({ sent: 'both' }, 99))], false],
    [
      'accepted is not in use',
      [moment(1, says({ accepted: 'both' })), moment(99, says({ accepted: 'both' }, 99))],
      false,
    ],
    ['in use, and watched too short', [moment(1, using(3, 1)), moment(60, using(3, 60))], false],
    ['in use for the whole watch', [moment(1, using(3, 1)), moment(61, using(3, 61))], true],
    [
      'it was behind in between: the watch begins anew',
      [
        moment(1, using(3, 1)),
        moment(30, says({ inUse: 'only-old' }, 30)),
        moment(31, using(3, 31)),
        moment(61, using(3, 61)),
      ],
      false,
    ],
    [
      'and ends later',
      [
        moment(1, using(3, 1)),
        moment(30, says({ inUse: 'only-old' }, 30)),
        moment(31, using(3, 31)),
        moment(91, using(3, 91)),
      ],
      true,
    ],
    [
      'it was away in between, and its counters say that nothing failed',
      [moment(1, using(3, 1)), moment(30, { connected: false }), moment(61, using(3, 61))],
      true,
    ],
    ['it is away', [moment(1, using(3, 1)), moment(61, { connected: false, ...using(3, 61) })], false],
    ['a handshake failed', [moment(1, using(3, 1)), moment(61, using(4, 61))], false],
    ['one was allowed', [moment(1, using(3, 1)), moment(61, using(4, 61))], true, { allowedFailures: 1 }],
    [
      'two are more than one',
      [moment(1, using(3, 1)), moment(61, using(5, 61))],
      false,
      { allowedFailures: 1 },
    ],
    ['nothing is seen of its handshakes', [moment(1, {}), moment(61, {})], false],
    ['nothing has been seen of them for long', [moment(1, using(3, 1)), moment(200, using(3, 1))], false],
    [
      'an agent without an Envoy has no handshakes to see',
      [moment(1, { consumers: [] }), moment(61, { consumers: [] })],
      true,
    ],
    ['it is gone', [moment(1, using(3, 1)), moment(61, undefined)], false],
  ];
  test.each(cases)('%s', (_, moments, open, changes) => {
    const { gate, present, last } = after(started(changes), ...moments);
    expect(gate.open).toBe(open);
    const expected = open ? { kind: 'advance', to: 'distribute', effect: 'widen' } : { kind: 'wait' };
    expect(decideRotation(present, authorities, last, 'byEvidence')).toMatchObject(expected);
    expect(decideRotation(present, authorities, last, 'no')).toMatchObject({ kind: 'wait' });
  });

  test('waits for nobody who is not chosen, nor for who cannot report', () => {
    const { gate } = after(started(), moment(1, using(3, 1)), moment(61, using(3, 61)));
    expect(gate.standings.map(({ proxy }) => proxy.proxyKey)).toStrictEqual(['web-1']);
    const silent = started({}, moment(0, using(3, 0)));
    expect(after(silent, moment(61, undefined)).gate.standings).toStrictEqual([]);
  });

  test('is passed by itself where the operator said so', () => {
    const { present, last } = after(
      started({ auto: true }),
      moment(1, using(3, 1)),
      moment(61, using(3, 61)),
    );
    expect(decideRotation(present, authorities, last, 'no')).toMatchObject({ to: 'distribute' });
    const halted = after(started({ auto: true }), moment(1, using(3, 1)), moment(61, using(9, 61)));
    expect(decideRotation(halted.present, authorities, halted.last, 'no')).toMatchObject({ kind: 'wait' });
  });

  test('says until when it watches', () => {
    const { gate } = after(started(), moment(1, using(3, 1)), moment(2, using(3, 2)));
    expect(gate).toMatchObject({ open: false, stragglers: [], canary: { until: at(61), halted: [] } });
  });
});

describe('what halts a canary', () => {
  const refusal = says({ sent: 'both', accepted: 'only-old', nackError: 'no such field' }, 2);

  test('a refusal, and it stays so whatever is said afterwards', () => {
    const { gate } = after(started(), moment(2, refusal), moment(3, using(3, 3)), moment(99, using(3, 99)));
    expect(gate).toMatchObject({ open: false, canary: { halted: [{ proxy: { proxyKey: 'web-1' } }] } });
    expect(gate.stragglers[0]?.detail).toContain('halted: envoy ROOTCA: refused the bundle: no such field');
  });

  test('a refusal of the bundle that the control plane gave', () => {
    const refusals = (proxyKey: string) => (proxyKey === 'web-1' ? 'bad PEM' : undefined);
    const { gate } = after(started(), { ...moment(2, using(3, 2)), refusals });
    expect(gate.canary?.halted[0]?.detail).toContain('control plane: bad PEM');
  });

  test('failed handshakes, by their reasons', () => {
    const { gate } = after(started(), moment(1, using(3, 1)), moment(2, using(5, 2)));
    expect(gate.canary?.halted[0]?.detail).toMatch(
      /2 failed handshakes more than before, 0 allowed.*caller 5 untrusted/,
    );
  });

  test('not those of before, also of a proxy whose counters are seen only later', () => {
    const begun = started({}, moment(0, {}));
    expect(begun.canary?.watched[0]?.failedBefore).toBeUndefined();
    const { gate } = after(begun, moment(1, using(7, 1)), moment(61, using(7, 61)));
    expect(gate.open).toBe(true);
  });

  test('not another proxy’s refusal', () => {
    const refusals = (proxyKey: string) => (proxyKey === 'db-1' ? 'bad PEM' : undefined);
    const { gate } = after(started(), moment(1, using(3, 1)), { ...moment(61, using(3, 61)), refusals });
    expect(gate.open).toBe(true);
  });

  test('force and an abort alone go on, or an excuse by its key', () => {
    const { present, last } = after(started(), moment(1, using(3, 1)), moment(61, using(5, 61)));
    expect(decideRotation(present, authorities, last, 'byForce')).toMatchObject({ effect: 'widen' });
    const word = { kind: 'excuse', by: 'operator:ann', reason: 'a scanner', at: at(62) } as const;
    const excused = gateOf({ ...present, words: [{ ...word, target: 'web-1' }] }, 'canary', last);
    expect(excused.canary?.halted).toStrictEqual([]);
    // Nobody is left of whom anything could be learnt.
    expect(excused.open).toBe(false);
  });
});

test('what is known already changes nothing: the same object comes back', () => {
  const { present } = after(started(), moment(1, using(3, 1)));
  expect(after(present, moment(2, using(3, 2))).present.canary).toBe(present.canary);
});

test('the last watch that began is waited for', () => {
  const both = (seconds: number, agent: string) => {
    const of = (proxyKey: string, inUse: string) =>
      report(inUse, [resource({ inUse })], { proxyKey, ...using(0, seconds) });
    const leaves = ['web-1', 'web-2'].map((proxyKey) => leaf({ proxyKey, notAfter: at(9_000) }));
    return { ...evidence(leaves, [of('web-1', 'both'), of('web-2', agent)]), now: at(seconds) };
  };
  const begun = started({}, both(0, 'only-old'));
  const moments = [both(1, 'only-old'), both(31, 'both')];
  expect(after(begun, ...moments, both(61, 'both')).gate).toMatchObject({
    open: false,
    canary: { until: at(91) },
  });
  expect(after(begun, ...moments, both(91, 'both')).gate.open).toBe(true);
});

test('who comes later is watched and is not waited for', () => {
  const late = report('both', [resource({ inUse: 'both' })], { proxyKey: 'web-2', ...using(0, 61) });
  const two = (seconds: number, of: ProxyReport) => {
    const leaves = [
      leaf({ notAfter: at(9_000) }),
      leaf({ serial: '03', proxyKey: 'web-2', notAfter: at(9_000) }),
    ];
    const first = { ...report('both', [resource({ inUse: 'both' })]), ...using(3, seconds) };
    return { ...evidence(leaves, [first, of]), now: at(seconds) };
  };
  const begun = started();
  expect(after(begun, moment(1, using(3, 1)), two(61, late)).gate.open).toBe(true);
  expect(
    after(begun, moment(1, using(3, 1)), two(61, { ...late, agentBundleVersion: 'only-old' })).gate.open,
  ).toBe(false);
  const failing = { ...late, ...using(4, 62) };
  expect(
    after(begun, moment(1, using(3, 1)), two(61, late), two(62, failing)).gate.canary?.halted,
  ).toHaveLength(1);
});

describe('the plan of a canary', () => {
  const now = moment(0, using(3, 0));
  const plan = (...selectors: string[]) => planCanary('a', { selectors }, now);

  test('chooses of those who are there', () => {
    expect(plan('sa=web')).toMatchObject({
      watch: 600_000,
      allowedFailures: 0,
      auto: false,
      watched: [{ proxyKey: 'web-1', fromStart: true, failedBefore: 3 }],
    });
    expect(plan('sa=web', 'namespace=shop').watched).toHaveLength(2);
    expect(plan('50%').watched).toHaveLength(1);
    expect(plan('50%').upTo).toBeLessThan(1);
  });

  test.each([
    [['sa=nobody'], 'matches no live proxy'],
    [['sa=web', 'sa=nobody'], 'sa=nobody'],
    [['5%', '10%'], 'one share at most'],
    [Array.from({ length: 17 }, (_, each) => `sa=s${each}`), '16 selectors at most'],
  ])('refuses %j', (selectors, message) => {
    expect(() => plan(...selectors)).toThrow(message);
  });

  test('refuses a selector of those alone who cannot report', () => {
    const silent = moment(0, undefined);
    expect(() => planCanary('a', { selectors: ['sa=web'] }, silent)).toThrow(
      /of the 1 that it means none reports/,
    );
  });
});
