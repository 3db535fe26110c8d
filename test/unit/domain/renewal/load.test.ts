import { expect, test } from 'vitest';
import { noMetrics } from '../../../../src/domain/ports/index.ts';
import { isBusy, SigningMeter } from '../../../../src/domain/renewal/load.ts';

test.each([
  ['nothing to do', { inFlight: 0, ended: 0, meanMilliseconds: 0 }, false],
  ['many, each quick', { inFlight: 10, ended: 2000, meanMilliseconds: 5 }, false],
  ['many at once', { inFlight: 64, ended: 2000, meanMilliseconds: 30 }, true],
  ['each slow', { inFlight: 30, ended: 100, meanMilliseconds: 300 }, true],
  ['one slow', { inFlight: 1, ended: 1, meanMilliseconds: 3000 }, false],
])('a server with %s', (_name, load, busy) => {
  expect(isBusy(load)).toBe(busy);
});

test('the meter knows what is in flight, and forgets what is long over', () => {
  let now = 0;
  const told: string[] = [];
  const meter = new SigningMeter({ now: () => new Date(now), sleep: () => Promise.resolve() });
  const metrics = meter.measuring({
    ...noMetrics,
    issuanceStarted: () => told.push('started'),
    issuanceStage: (stage) => told.push(stage),
  });
  metrics.issuanceStarted();
  metrics.issuanceStarted();
  metrics.issuanceStage('sign', 7);
  metrics.issuanceStage('total', 10);
  now = 600;
  metrics.issuanceStage('total', 30);
  expect(meter.load()).toEqual({ inFlight: 0, ended: 2, meanMilliseconds: 20 });
  expect(told).toEqual(['started', 'started', 'sign', 'total', 'total']);
  now = 1600;
  expect(meter.load()).toEqual({ inFlight: 0, ended: 1, meanMilliseconds: 30 });
  now = 10_000;
  expect(meter.load()).toEqual({ inFlight: 0, ended: 0, meanMilliseconds: 0 });
});
