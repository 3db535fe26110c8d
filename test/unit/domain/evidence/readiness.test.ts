import { describe, expect, test } from 'vitest';
import { noCalls } from '../../../../src/domain/evidence/calls.ts';
import {
  callersSince,
  readiness,
  safeFrom,
  type WorkloadEvidence,
} from '../../../../src/domain/evidence/index.ts';
import { at, evidence } from './samples.ts';

const hour = 3_600_000;
const now = at(7_200);
const caller = (last: number) => ({ address: '10.0.0.7', first: at(0), last: at(last), count: 2 });
const port = (changes: object) => new Map([[8080, { ...noCalls, ...changes }]]);

const cases: readonly {
  readonly what: string;
  readonly given: Partial<WorkloadEvidence>;
  readonly state: string;
  readonly reasons?: readonly RegExp[];
}[] = [
  { what: 'nothing by plaintext, and all has arrived', given: {}, state: 'safe' },
  {
    what: 'a call by plaintext before the window',
    given: { ports: port({ callers: [caller(3_599)] }) },
    state: 'safe',
  },
  {
    what: 'a call by plaintext at the window’s begin',
    given: { ports: port({ callers: [caller(3_600)] }) },
    state: 'unsafe',
    reasons: [/^10\.0\.0\.7 called port 8080 without mutual TLS at 2030-01-01T01:00:00Z$/],
  },
  {
    what: 'a call of a port that is not declared',
    given: { ports: new Map([[0, { ...noCalls, callers: [caller(7_000)] }]]) },
    state: 'unsafe',
    reasons: [/^10\.0\.0\.7 called a port that is not declared without mutual TLS at /],
  },
  {
    what: 'a call by plaintext, whatever else is not known',
    given: { ports: port({ callers: [caller(7_000)] }), coverage: undefined, counters: undefined },
    state: 'unsafe',
  },
  {
    what: 'callers forgotten within the window',
    given: { ports: port({ forgottenAt: at(7_000), more: 3 }) },
    state: 'unsafe',
    reasons: [/more callers than are kept/],
  },
  {
    what: 'a denial alone',
    given: {
      ports: port({
        denials: { last: at(7_100), count: 1, caller: '10.0.0.7', transport: 'plaintext', reason: 'x' },
      }),
    },
    state: 'safe',
  },
  {
    what: 'an agent that has not reported',
    given: { counters: undefined },
    state: 'unknown',
    reasons: [/agent has not reported/],
  },
  {
    what: 'a proxy not seen to log',
    given: { coverage: undefined },
    state: 'unknown',
    reasons: [/not been seen to log/],
  },
  {
    what: 'a log that is complete for a part of the window',
    given: { coverage: { since: at(3_601), reason: '4 entries of its log have been lost' } },
    state: 'unknown',
    reasons: [/complete only since 2030-01-01T01:00:01Z: 4 entries/],
  },
  {
    what: 'a log that is complete for just the window',
    given: { coverage: { since: at(3_600), reason: 'its proxy was started again' } },
    state: 'safe',
  },
  { what: 'a broken stream', given: { brokenAt: at(7_195) }, state: 'unknown', reasons: [/broke at/] },
  {
    what: 'nothing confirmed',
    given: { confirmedAt: undefined },
    state: 'unknown',
    reasons: [/nothing has shown yet/],
  },
  { what: 'a confirmation of some seconds ago', given: { confirmedAt: at(7_180) }, state: 'safe' },
  {
    what: 'a confirmation that is older',
    given: { confirmedAt: at(7_179) },
    state: 'unknown',
    reasons: [/is not known to have arrived/],
  },
];

describe('whether STRICT is safe', () => {
  test('a window too short to hear of what goes on is taken for a longer one', () => {
    const called = { ports: port({ callers: [caller(7_185)] }) };
    expect(readiness(evidence(called), now, 1_000).state).toBe('unsafe');
    expect(readiness(evidence(called), at(7_202), 1_000).state).toBe('safe');
  });

  test.each(cases)('$what: $state', ({ given, state, reasons = [] }) => {
    const result = readiness(evidence(given), now, hour);
    expect(result.state).toBe(state);
    if (reasons.length > 0)
      expect(result.reasons).toEqual(reasons.map((reason) => expect.stringMatching(reason)));
    expect(result.reasons.length > 0).toBe(state !== 'safe');
  });
});

describe('what a wait for strictness is told', () => {
  const called = evidence({
    ports: port({ callers: [caller(100), { ...caller(7_000), address: '10.0.0.8' }] }),
  });

  test('who called within the window', () => {
    expect(callersSince(called, now, hour)).toEqual(['10.0.0.8']);
    expect(callersSince(called, now, 2 * hour)).toEqual(['10.0.0.7', '10.0.0.8']);
  });

  test.each([
    { what: 'a window after the last call', of: called, from: at(10_600) },
    {
      what: 'a window after a loss',
      of: evidence({ coverage: { since: at(7_100), reason: 'x' } }),
      from: at(10_700),
    },
    {
      what: 'a window after callers were forgotten',
      of: evidence({ ports: port({ forgottenAt: at(7_050) }) }),
      from: at(10_650),
    },
    { what: 'now, where nothing but the present is missing', of: evidence(), from: now },
    {
      what: 'a window from now, where nothing is known',
      of: evidence({ coverage: undefined }),
      from: at(10_800),
    },
  ])('$what', ({ of, from }) => {
    expect(safeFrom(of, now, hour)).toEqual(from);
  });
});
