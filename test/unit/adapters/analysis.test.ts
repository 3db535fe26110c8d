import { describe, expect, it } from 'vitest';
import { createPolicyAnalysis } from '../../../src/adapters/analysis/index.ts';
import { type PolicyWorld, readPolicies, withPolicies } from '../../../src/domain/policy/index.ts';
import { formatRecord, formatRecordsHead } from '../../../src/domain/records/index.ts';
import { decisionRecord } from '../../contract/store-samples.ts';

const empty: PolicyWorld = {
  settings: {
    trustDomain: 'example.org',
    trustDomainAliases: [],
    rootNamespace: 'root',
    authorizationProviders: [],
  },
  workloads: new Map([
    [
      'files/shop/orders',
      {
        id: 'files/shop/orders',
        namespace: 'shop',
        name: 'orders',
        serviceAccount: 'orders',
        labels: { app: 'orders' },
        addresses: ['10.0.0.1'],
        proxy: 'explicit',
        proxyKey: undefined,
        ports: [{ port: 8080, protocol: 'http', application: { address: '127.0.0.1', port: 8080 } }],
        egress: [],
      },
    ],
  ]),
  services: new Map(),
  policies: [],
  strict: new Set(),
};

const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: reads, namespace: shop }
spec:
  rules: [{ to: [{ operation: { methods: ["GET"] } }] }]
`;
const after = withPolicies(empty, readPolicies(text, { source: 'a.yaml' }).policies);
const never = new AbortController().signal;

describe('comparing in a thread', () => {
  it('comes to what the engine says', async () => {
    const { outcome, differences } = await createPolicyAnalysis().compare(empty, after, never);
    expect(outcome).toBe('different');
    expect(differences.map(({ becomes }) => becomes)).toContain('denied');
    expect((await createPolicyAnalysis().compare(after, after, never)).outcome).toBe('same');
  });

  it('decides recorded calls again, and says what an identity may reach', async () => {
    const analysis = createPolicyAnalysis();
    const workload = 'files/shop/orders';
    const records = ['GET', 'POST'].map((method) =>
      decisionRecord({ workload, port: 8080, method, policy: undefined }),
    );
    const head = formatRecordsHead({ sample: 100, forgotten: undefined });
    const texts = [`${head}\n`, records.map((each) => `${formatRecord(each)}\n`).join('')];
    expect(await analysis.replay(texts, empty, after, never)).toMatchObject({
      total: { records: 2 },
      changes: [{ becomes: 'denied', calls: 5, examples: [{ record: { method: 'POST' } }] }],
    });
    const { ports } = await analysis.what(after, 'shop/web', never);
    expect(ports.map(({ access }) => access.map(({ methods }) => methods))).toEqual([['GET']]);
    await expect(analysis.what(after, 'nobody', never)).rejects.toMatchObject({ code: 'OutOfRange' });
  });

  it('ends with whoever asked for it', async () => {
    const asker = new AbortController();
    const asked = createPolicyAnalysis().compare(empty, after, asker.signal);
    asker.abort();
    await expect(asked).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('has one thread, and tells those for whom there is no room', async () => {
    const analysis = createPolicyAnalysis();
    const asked = Array.from({ length: 12 }, () => analysis.compare(after, after, never));
    const ended = await Promise.allSettled(asked);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
    expect(ended.at(-1)).toMatchObject({ reason: { code: 'Unavailable' } });
  });
});
