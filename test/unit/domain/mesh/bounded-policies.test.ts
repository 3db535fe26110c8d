import { describe, expect, test } from 'vitest';
import { areTooMuch, tooMuch } from '../../../../src/domain/mesh/bounded-policies.ts';
import { policyStatuses } from '../../../../src/domain/mesh/policy-status.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, viewOf } from '../../../../src/domain/mesh/view.ts';
import { mostPolicies, type Policy, policiesWeight } from '../../../../src/domain/policy/index.ts';
import { sound } from '../policy/read/parts.ts';
import { content, peerAuthentication, settings, workload } from './samples.ts';

const principals = Array.from({ length: 1_000 }, (_, n) => `example.org/ns/shop/sa/${n}`.padEnd(900, 'x'));
/** Each by itself is within what a policy may take. */
const large = (count: number, selector: object = { matchLabels: { app: 'orders' } }): Policy[] =>
  Array.from({ length: count }, (_, n) =>
    sound(
      'AuthorizationPolicy',
      { selector, action: 'ALLOW', rules: [{ from: [{ source: { principals } }] }] },
      { name: `p${n}` },
    ),
  );

const orders = workload('orders');
const web = workload('web');
const mesh = (policies: readonly Policy[]) =>
  indexMesh(composeSnapshot(settings, [{ ...content([orders, web]), policies }]));

describe('policies that are too much for a proxy', () => {
  const few = large(8);
  const many = [...large(40), peerAuthentication('STRICT')];

  test('let nobody call their workload, keep its mode, and leave others alone', () => {
    const index = mesh(many);
    const view = viewOf(index, orders.id);
    expect(view?.policies.map(({ kind, meta }) => `${kind}/${meta.name}`)).toEqual([
      'AuthorizationPolicy/too-many-policies',
      'PeerAuthentication/default',
    ]);
    expect(view?.inbound.map(({ mode }) => mode)).toEqual(['STRICT']);
    const [denied] = view?.policies ?? [];
    expect(denied).toMatchObject({
      action: 'DENY',
      selector: undefined,
      rules: [{ from: [], to: [], when: [] }],
    });
    expect(viewOf(index, web.id)?.policies.map(({ kind }) => kind)).toEqual(['PeerAuthentication']);
    expect(viewOf(mesh(few), orders.id)?.policies).toEqual(few);
  });

  test('are the same list for all whom they concern, so that nothing is worked out again', () => {
    const index = mesh(many);
    expect(viewOf(index, orders.id)?.policies).toBe(viewOf(index, orders.id)?.policies);
  });

  test('are said to be refused', () => {
    const proxy = {
      proxy: { proxyKey: 'k', spiffeId: 's', svidSerial: '1', nodeId: 'n', nodeMetadata: {} },
      workload: orders.id,
      connectedAt: new Date(0),
      failure: undefined,
      isBehind: false,
      resources: [],
    };
    const [status] = policyStatuses(mesh(many), [proxy]);
    expect(status).toMatchObject({
      current: 0,
      pending: 0,
      refusals: [{ workload: orders.id, error: tooMuch }],
    });
    expect(policyStatuses(mesh(few), [proxy])[0]).toMatchObject({ current: 1, refusals: [] });
  });

  test('are so by their weight, by the workload’s ports, and by the keys that they name', () => {
    const weight = policiesWeight(few);
    const most = Math.floor(mostPolicies / weight);
    expect(areTooMuch(few, new Map(), most)).toBe(false);
    expect(areTooMuch(few, new Map(), most + 1)).toBe(true);
    const tokens = [
      sound('RequestAuthentication', {
        jwtRules: Array.from({ length: 300 }, () => ({ issuer: 'a', jwksUri: 'https://a/keys' })),
      }),
    ];
    const keys = (length: number) => new Map([['jwks:https://a/keys', 'k'.repeat(length)]]);
    expect(areTooMuch(tokens, keys(1_000), 1)).toBe(false);
    expect(areTooMuch(tokens, keys(250_000), 1)).toBe(true);
  });
});
