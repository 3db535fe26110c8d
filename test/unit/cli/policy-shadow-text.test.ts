import { describe, expect, it } from 'vitest';
import { shadowText } from '../../../src/cli/commands/policy-shadow-text.ts';
import { PolicyShadow } from '../../../src/gen/citadel/v1/operator.ts';

const since = new Date(Date.UTC(2030, 0, 1, 12));
const now = new Date(since.getTime() + 90_000);
const workload = {
  workload: 'files/shop/orders',
  standing: 'current',
  since,
  each: 2n,
  sampled: 3n,
  different: 1n,
};

const text = (given: Parameters<typeof PolicyShadow.fromPartial>[0]) =>
  shadowText(
    PolicyShadow.fromPartial({
      id: '0123456789ab',
      by: 'operator:ann',
      at: since,
      base: 3n,
      revision: 3n,
      since,
      samplePercent: 1,
      workloads: [workload],
      ...given,
    }),
    now,
  );

describe('what is told of a candidate', () => {
  it.each([
    [
      'no difference, and how much was seen, by sample',
      {},
      'No difference in 5 calls seen in 1m30s (since 2030-01-01T12:00:00Z); calls that both allow are told of by sample, 1 in 100, and stand for some 300; denials and differences are told of each.',
    ],
    [
      'what is told where nothing is sampled',
      { samplePercent: 0, workloads: [{ ...workload, sampled: 0n }] },
      'calls that both allow are not told of, denials and differences are told of each.',
    ],
    [
      'that none of the sample has come',
      { workloads: [{ ...workload, sampled: 0n }] },
      'calls that both allow are told of by sample, 1 in 100; denials and differences are told of each.',
    ],
    ['that each is told of', { samplePercent: 100 }, 'each call is told of.'],
    ['a candidate on its way', { since: undefined }, 'The candidate has not reached the mesh yet.'],
    ['who has changed what is beneath', { revision: 5n }, 'the policies are at revision 5 by now'],
    ['that it concerns nobody', { workloads: [] }, 'It decides otherwise for no workload that is known.'],
    [
      'a proxy that refuses',
      { workloads: [{ ...workload, standing: 'refused', detail: 'bad' }] },
      'refuse it: bad',
    ],
    [
      'what is in doubt',
      { doubts: ['nothing was observed'] },
      'Not ready to be promoted: nothing was observed.',
    ],
    [
      'what no force helps against',
      { obstacles: ['a proxy refuses it'] },
      'It cannot be promoted: a proxy refuses it.',
    ],
    [
      'when nobody counted',
      {
        gaps: [1, 2, 3, 4].map((hour) => ({
          from: new Date(Date.UTC(2030, 0, 1, 13 + hour)),
          until: new Date(Date.UTC(2030, 0, 1, 13 + hour, 1)),
        })),
      },
      'No server counted from 2030-01-01T15:00:00Z until 2030-01-01T15:01:00Z, from 2030-01-01T16:00:00Z until 2030-01-01T16:01:00Z, from 2030-01-01T17:00:00Z until 2030-01-01T17:01:00Z and 1 times before.',
    ],
    [
      'what was compared with other policies',
      { workloads: [{ ...workload, earlier: 4n }] },
      '4 calls to files/shop/orders were compared with other policies than hold there now, and count no more.',
    ],
    ['what went elsewhere', { elsewhere: 1n }, '1 call more went to workloads that are gone'],
    ['what is not kept', { more: 7n }, 'and 7 calls more that differ'],
  ])('%s', (_, given, expected) => {
    expect(text(given)).toContain(expected);
  });

  it.each([
    ['DENY', 'shop/new', 1, 'shop/live', 'denied by rule 1 of shop/new; allowed now by rule 0 of shop/live'],
    ['ALLOW', '', undefined, '', 'no ALLOW would match; nothing denies it now'],
    ['PATH', '', undefined, '', 'what it asks is written in a way that is refused where policies compare it'],
  ])('why a call would be denied: %s', (step, candidatePolicy, candidateRule, policy, expected) => {
    const difference = {
      workload: 'files/shop/orders',
      becomes: 'denied',
      callerId: 'spiffe://a/b',
      policy,
      rule: 0,
      step,
    };
    const told = text({
      differences: [{ ...difference, candidatePolicy, candidateRule, count: 2n }],
    });
    expect(told).toContain(`2 calls of spiffe://a/b to files/shop/orders would become denied: ${expected}`);
    expect(told).not.toContain('No difference');
  });

  it('why a call would be allowed', () => {
    const difference = {
      workload: 'w',
      becomes: 'allowed',
      step: 'ALLOW',
      count: 1n,
      policy: 'shop/live',
      rule: 2,
    };
    const told = text({ differences: [{ ...difference, candidatePolicy: 'shop/new', candidateRule: 0 }] });
    expect(told).toContain(
      '1 call of callers without a certificate to w would become allowed: allowed by rule 0 of shop/new; denied now by rule 2 of shop/live',
    );
    expect(text({ differences: [difference] })).toContain('nothing would deny it');
  });

  it('moves no cursor, whatever callers write', () => {
    const examples = [{ at: since, port: 80, callerAddress: '10.0.0.1', method: 'GET', path: '/\u001b[2J' }];
    expect(text({ differences: [{ becomes: 'denied', count: 1n, examples }] })).not.toContain('\u001b');
  });
});
