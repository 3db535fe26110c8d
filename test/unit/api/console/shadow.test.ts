import { describe, expect, it } from 'vitest';
import { shadowStatus } from '../../../../src/api/console/shadow.ts';
import type { ShadowService, ShadowStatus } from '../../../../src/domain/shadow/index.ts';
import { mesh, policy } from '../../domain/policy/mesh.ts';

const at = (minutes: number) => new Date(Date.UTC(2030, 0, 1, 12, minutes));
const key = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'web' };
const text = (action: string) =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: web, namespace: shop }\nspec: { action: ${action}, rules: [{}] }\n`;
const counts = { each: 3, sampled: 4, different: 2, unknown: 1, last: at(5) };
const status: ShadowStatus = {
  candidate: {
    id: '0123456789ab',
    at: at(0),
    by: 'operator:ann',
    reason: 'why',
    base: 3,
    objects: [
      { ...key, text: text('DENY'), hash: 'h' },
      { ...key, name: 'gone', text: undefined, hash: '' },
    ],
  },
  revision: 4,
  since: at(0),
  gaps: [{ from: at(1), until: at(2) }],
  workloads: [
    {
      ...counts,
      workload: 'test/shop/orders',
      standing: 'current',
      detail: undefined,
      since: at(1),
      complete: undefined,
      earlier: 0,
      trial: 'aa',
      refusesTrial: false,
    },
  ],
  elsewhere: 0,
  differences: [
    {
      workload: 'test/shop/orders',
      becomes: 'denied',
      callerId: undefined,
      policy: undefined,
      rule: undefined,
      step: 'DENY',
      by: { namespace: 'shop', name: 'web', rule: 0 },
      count: 2,
      first: at(3),
      last: at(4),
      examples: [{ at: at(4), port: 8080, callerAddress: '10.0.0.7', method: 'GET', path: '/a' }],
    },
  ],
  more: 5,
  samplePercent: 100,
  doubts: ['a doubt'],
  obstacles: ['an obstacle'],
};

function told(found: ShadowStatus | undefined) {
  const shadow: Pick<ShadowService, 'status'> = { status: () => Promise.resolve(found) };
  const world = mesh([], [policy('shop/web', { rules: [{}] })]);
  return shadowStatus({ shadow, policyWorld: () => world, now: () => at(10) });
}

describe('what the console tells of a shadow', () => {
  it('is who has it, what was seen and what it would change', async () => {
    expect(await told(status)).toMatchObject({
      shadow: {
        base: 3,
        revision: 4,
        effects: [
          {
            ...key,
            effect: 'update',
            before: expect.stringContaining('ALLOW'),
            after: expect.stringContaining('DENY'),
          },
          { name: 'gone', effect: 'remove', after: '' },
        ],
        workloads: [
          {
            proxies: 'have it since 2030-01-01T12:01:00Z',
            hasIt: true,
            seen: 7,
            different: 2,
            unknown: 1,
            complete: 'not known',
          },
        ],
        differences: [
          {
            caller: 'callers without a certificate',
            calls: 2,
            why: 'denied by rule 0 of shop/web; nothing denies it now',
            examples: ['2030-01-01T12:04:00Z port 8080 GET /a from 10.0.0.7'],
          },
        ],
        more: 5,
        seen: '7 calls seen in 10m (since 2030-01-01T12:00:00Z); each call is told of.',
        notCounted: ['No server counted from 2030-01-01T12:01:00Z until 2030-01-01T12:02:00Z.'],
        obstacles: ['an obstacle'],
        doubts: ['a doubt'],
      },
    });
  });

  it('counts the calls of the differences that are not shown', async () => {
    const [difference] = status.differences;
    const many = Array.from({ length: 203 }, () => difference).filter((each) => each !== undefined);
    const { shadow } = await told({ ...status, differences: many });
    expect(shadow?.differences).toHaveLength(200);
    expect(shadow?.more).toBe(5 + 3 * 2);
  });

  it('is nothing where nothing is tried', async () => {
    expect(await told(undefined)).toEqual({ shadow: null });
  });
});
