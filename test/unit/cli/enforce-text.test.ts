import { describe, expect, test } from 'vitest';
import { howText, planText } from '../../../src/cli/commands/enforce-text.ts';
import type { PlannedWorkload } from '../../../src/gen/citadel/v1/operator.ts';

const line = (changes: Partial<PlannedWorkload>) =>
  planText({
    workloads: [
      {
        workload: 'files/shop/orders',
        verdict: 'ready',
        reasons: [],
        ports: [8080, 0],
        disabledPorts: [],
        callers: [],
        ...changes,
      },
    ],
    withoutProxy: [],
    planDigest: '',
    enforcement: undefined,
  });

describe('what an operator is shown before an order', () => {
  test.each([
    { changes: {}, shown: '  files/shop/orders becomes strict on 8080, all others' },
    {
      changes: { disabledPorts: [9901] },
      shown:
        '  files/shop/orders becomes strict on 8080, all others; stays in plaintext by its policies: 9901',
    },
    {
      changes: { verdict: 'unsafe', reasons: ['10.0.0.7 called'], callers: ['10.0.0.7', '10.0.0.8'] },
      shown:
        '  files/shop/orders becomes strict on 8080, all others, though that is unsafe\n    10.0.0.7 called\n    would be refused: 10.0.0.7, 10.0.0.8',
    },
    {
      changes: { verdict: 'told', reasons: ['by order a1'] },
      shown: '  files/shop/orders is strict on 8080, all others, and is watched anew\n    by order a1',
    },
    {
      changes: { verdict: 'exempt', ports: [], disabledPorts: [8080], reasons: ['its policies say so'] },
      shown: '  files/shop/orders stays as it is\n    its policies say so',
    },
  ])('$changes', ({ changes, shown }) => {
    expect(line(changes)).toBe(shown);
  });

  test('and whether anything is taken back without him', () => {
    expect(howText({ observe: 90, revertWithin: 0 })).toMatch(/watched for 1m30s.*nothing is taken back/s);
    expect(howText({ observe: 60, revertWithin: 600 })).toMatch(/Within 10m from now .* is taken back\.$/);
  });
});
