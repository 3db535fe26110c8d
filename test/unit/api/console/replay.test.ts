import { describe, expect, it } from 'vitest';
import { replayChange } from '../../../../src/api/console/replay.ts';
import { replay } from '../../../../src/domain/policy/index.ts';
import type { DecisionRecord, PolicyAnalysis } from '../../../../src/domain/ports/index.ts';
import { formatRecord, formatRecordsHead, readRecordLines } from '../../../../src/domain/records/index.ts';
import { decisionRecord } from '../../../contract/store-samples.ts';
import { mesh, workload } from '../../domain/policy/mesh.ts';

const world = mesh([workload('shop/orders')]);
const now = new Date(Date.UTC(2030, 0, 8));
const never = new AbortController().signal;
const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: reads, namespace: shop }
spec: { rules: [{ to: [{ operation: { methods: ["GET"] } }] }] }
`;

/** As the thread does it, but beside the test. */
const analysis: Pick<PolicyAnalysis, 'replay'> = {
  async replay(texts, before, after) {
    const lines = texts.flatMap((each) => each.split('\n'));
    // An array is gone through like what comes in parts.
    const read = await readRecordLines(
      (async function* () {
        yield* await Promise.resolve(lines);
      })(),
      { workloads: [], since: undefined },
    );
    return replay(read.records, before, after);
  },
};

const record = (changes: Partial<DecisionRecord>) =>
  decisionRecord({
    workload: 'test/shop/orders',
    port: 8080,
    policy: undefined,
    rule: undefined,
    ...changes,
  });

async function replayed(
  records: readonly DecisionRecord[],
  { sample = 100, padding = 0 }: { readonly sample?: number; readonly padding?: number } = {},
) {
  const asked: (Date | undefined)[] = [];
  const services = {
    policies: { restoring: () => Promise.reject(new Error('nothing is restored')) },
    policyWorld: () => world,
    now: () => now,
    async *decisionRecords({ since }: { readonly since: Date | undefined }) {
      asked.push(since);
      const forgotten = { calls: 9, until: new Date(Date.UTC(2030, 0, 1)) };
      yield await Promise.resolve(`${formatRecordsHead({ sample, forgotten })}\n`);
      for (const each of records) yield `${formatRecord(each)}${' '.repeat(padding)}\n`;
    },
  };
  const question = { text, remove: [], since: '24h' } as const;
  return { found: await replayChange(services, analysis, question, never), asked };
}

describe('recorded calls under what is in the editor', () => {
  it('are grouped with counts and examples, of the time that was asked for', async () => {
    const { found, asked } = await replayed([
      record({ count: 4, method: 'POST', path: '/a' }),
      record({ count: 5 }),
    ]);
    expect(asked).toEqual([new Date(Date.UTC(2030, 0, 7))]);
    expect(found).toMatchObject({
      total: { calls: 9, records: 2 },
      unchanged: { calls: 5 },
      changes: [
        {
          becomes: 'denied',
          caller: 'spiffe://example.org/ns/shop/sa/web',
          callee: 'shop/orders:8080',
          after: 'no ALLOW matches',
          calls: 4,
          examples: [{ request: 'POST /a', workload: 'test/shop/orders', calls: 4 }],
        },
      ],
      caveats: ['9 calls up to 2030-01-01T00:00:00Z were forgotten by the server for want of room.'],
    });
  });

  it.each([
    [1, 'which proxies tell of by sample (1 in a hundred)'],
    [0, 'are not told of at all (mesh.accessLog.sample is 0)'],
  ])('say that they are a part: %i in a hundred', async (sample, words) => {
    const { found } = await replayed([record({})], { sample });
    expect(found.caveats.join('\n')).toContain(words);
  });

  it('are taken as far as there is room, the newest first, and it is said', async () => {
    const { found } = await replayed(
      Array.from({ length: 5 }, (_, at) => record({ path: `/${at}` })),
      { padding: 10 * 1024 * 1024 },
    );
    expect(found.total.records).toBe(3);
    expect(found.caveats.at(-1)).toMatch(/^There are more records than are looked at here/);
  });
});
