import { expect, test } from 'vitest';
import { addHandshakes, noFailures } from '../../../src/domain/adoption/index.ts';
import type { HandshakeReport } from '../../../src/domain/ports/index.ts';
import { at } from './rotation/samples.ts';

function said(startedAt: number, untrusted: number, connection = 0): HandshakeReport {
  return {
    startedAt: at(startedAt),
    observedAt: at(100),
    downstream: { ...noFailures, connection },
    upstream: { ...noFailures, untrusted },
  };
}

test.each<[what: string, reports: HandshakeReport[], untrusted: number, connection: number]>([
  ['all that its Envoy has counted, at first', [said(0, 3, 1)], 3, 1],
  ['only what is more, afterwards', [said(0, 3), said(0, 5, 2), said(0, 5, 2)], 5, 2],
  ['its beginning is worked out from whole seconds', [said(0, 3), said(2, 4)], 4, 0],
  ['another Envoy counts from zero', [said(0, 3), said(60, 1)], 4, 0],
  ['another one with as many', [said(0, 3), said(60, 3)], 6, 0],
  ['an agent that has begun anew may have missed some', [said(0, 3), said(0, 1), said(0, 2)], 4, 0],
])('adds up: %s', (_, reports, untrusted, connection) => {
  const [first, ...others] = reports;
  if (!first) throw new Error('no report');
  const tally = others.reduce((known, each) => addHandshakes(known, each), addHandshakes(undefined, first));
  expect(tally.upstream).toStrictEqual({ ...noFailures, untrusted });
  expect(tally.downstream).toStrictEqual({ ...noFailures, connection });
  expect(tally.last).toBe(reports.at(-1));
});
