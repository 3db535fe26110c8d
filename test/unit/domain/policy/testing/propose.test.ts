import { describe, expect, test } from 'vitest';
import { proposeTests, readPolicyTests, runPolicyTest } from '../../../../../src/domain/policy/index.ts';
import type { DecisionRecord } from '../../../../../src/domain/ports/index.ts';
import { at, decisionRecord } from '../../../../contract/store-samples.ts';
import { mesh, policy, ports, service, workload } from '../mesh.ts';

const orders = workload('shop/orders', { ports: ports([8080, 'http'], [90, 'tcp']) });
const front = service('shop/front', orders);
const world = mesh([orders], [], [front]);
const web = 'spiffe://example.org/ns/shop/sa/web';
const call = (changes: Partial<DecisionRecord> = {}) =>
  decisionRecord({ workload: orders.id, port: 8080, path: '/orders', ...changes });
const propose = (records: readonly DecisionRecord[], to = 'shop/orders') =>
  proposeTests(records, world, { to });

function casesOf(records: readonly DecisionRecord[], to?: string) {
  const { text = '' } = propose(records, to);
  const { tests, problems } = readPolicyTests(text, 'T');
  expect(problems).toEqual([]);
  return tests.flatMap(({ cases }) =>
    cases.map(({ expect: outcome, calls }) => [
      outcome,
      ...calls.map((each) =>
        [
          each.from.kind === 'spiffe' ? each.from.id.split('/').at(-1) : each.from.kind,
          each.method,
          each.path,
          each.to.port,
        ]
          .filter((part) => part !== undefined)
          .join(' '),
      ),
    ]),
  );
}

describe('tests that say what was recorded', () => {
  test('a case for each caller, method and kind of path, and what became of it', () => {
    expect(
      casesOf([
        ...['/orders/1', '/orders/2', '/orders/3'].map((path) => call({ path })),
        call({ method: 'POST' }),
        call({ method: 'DELETE', decision: 'denied', refusedBy: 'policies' }),
        call({ transport: 'plaintext', caller: undefined, decision: 'denied', refusedBy: 'policies' }),
        call({ port: 90, method: undefined, path: undefined }),
      ]),
    ).toStrictEqual([
      ['denied', 'plaintext GET /orders 8080'],
      ['denied', 'web DELETE /orders 8080'],
      ['allowed', 'web GET /orders/1 8080', 'web GET /orders/2 8080'],
      ['allowed', 'web POST /orders 8080'],
      ['allowed', 'web 90'],
    ]);
  });

  test('callers that are called alike in part are told apart', () => {
    const ids = ['/ns/shop/sa/web', '/ns/shop/web', '/ns/shop/sa/web/x'].map(
      (path) => `spiffe://example.org${path}`,
    );
    const callers = [...ids, 'spiffe://other.example/ns/shop/sa/web'];
    expect(casesOf(callers.map((caller) => call({ caller })))).toHaveLength(4);
  });

  test('a service is called by its own port', () => {
    expect(casesOf([call()], 'shop/front')).toStrictEqual([['allowed', 'web GET /orders 80']]);
  });

  test('of what was decided in two ways the later one counts', () => {
    const denied = { decision: 'denied', refusedBy: 'policies' } as const;
    expect(casesOf([call({ ...denied, last: at(9) }), call({ last: at(8) })])).toMatchObject([
      ['denied', expect.anything()],
    ]);
    expect(casesOf([call({ ...denied, last: at(7) }), call({ last: at(8) })])).toMatchObject([
      ['allowed', expect.anything()],
    ]);
  });

  test.each<[string, Partial<DecisionRecord>]>([
    ['a token', { decision: 'denied', refusedBy: 'token' }],
    ['an authorizer', { decision: 'denied', refusedBy: 'authorizer' }],
    ['TLS of the application', { transport: 'other-tls', caller: undefined }],
    ['no caller', { caller: undefined, lacks: ['caller'] }],
    ['no path', { path: undefined, lacks: ['path'] }],
    ['a path that no policy compares', { path: '/a/../b' }],
    ['control characters', { path: '/a\n- name: x' }],
    ['a method that is none', { method: 'GET*' }],
  ])('no case is made of %s', (_, changes) => {
    expect(propose([call(changes)])).toStrictEqual({ text: undefined, cases: 0, leftOut: 5 });
  });

  test('more than there may be are counted', () => {
    const records = Array.from({ length: 510 }, (_, index) => call({ caller: `${web}${index}` }));
    expect(propose(records)).toMatchObject({ cases: 500, leftOut: 50 });
  });

  test('they hold for the policies under which it was recorded', () => {
    const reads = policy('shop/reads', { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] });
    const { text = '' } = propose([
      call(),
      call({ method: 'POST', decision: 'denied', refusedBy: 'policies' }),
    ]);
    const [made] = readPolicyTests(text, 'T').tests;
    if (!made) throw new Error('no test');
    const passed = ({ policies }: { readonly policies: readonly (typeof reads)[] }) =>
      runPolicyTest(made, { ...world, policies }, at(0)).cases.map(({ failures }) => failures.length === 0);
    expect(passed({ policies: [reads] })).toEqual([true, true]);
    expect(passed({ policies: [] })).toEqual([true, false]);
  });
});
