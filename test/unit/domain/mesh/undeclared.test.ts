import { describe, expect, test } from 'vitest';
import { undeclaredPorts } from '../../../../src/domain/mesh/undeclared.ts';
import type { AuthorizationPolicy, OperationMatch } from '../../../../src/domain/policy/index.ts';
import { peerAuthentication, workload } from './samples.ts';

const captured = workload('orders', { proxy: 'capture' });

const operation = (over: Partial<OperationMatch>): OperationMatch => ({
  hosts: [],
  notHosts: [],
  ports: [],
  notPorts: [],
  methods: [],
  notMethods: [],
  paths: [],
  notPaths: [],
  ...over,
});

const authorization = (...rules: AuthorizationPolicy['rules']): AuthorizationPolicy => ({
  kind: 'AuthorizationPolicy',
  meta: { namespace: 'shop', name: 'a', generation: 1, origin: { source: 'test' } },
  selector: undefined,
  targetRefs: [],
  action: 'DENY',
  provider: undefined,
  dryRun: false,
  rules,
});

const seen = (...given: Parameters<typeof undeclaredPorts>) =>
  undeclaredPorts(...given).map(({ port, mode }) => [port.port, mode]);

describe('the ports that no registry declares', () => {
  test('are none where nothing is captured', () => {
    expect(seen(workload('orders'), [peerAuthentication('STRICT')])).toEqual([]);
  });

  test('have the workload’s mode, all together', () => {
    expect(seen(captured, [])).toEqual([[0, 'PERMISSIVE']]);
    expect(seen(captured, [peerAuthentication('STRICT')])).toEqual([[0, 'STRICT']]);
  });

  test('are bytes, and go to where they were going', () => {
    expect(undeclaredPorts(captured, [])[0]?.port).toEqual({
      port: 0,
      protocol: 'tcp',
      application: undefined,
    });
  });

  test('have their own mode where a policy gives one, and a declared port is not among them', () => {
    const policy = peerAuthentication('STRICT', {
      selector: { app: 'orders' },
      portLevel: new Map([
        [9090, 'DISABLE'],
        [8080, 'PERMISSIVE'],
      ]),
    });
    expect(seen(captured, [policy])).toEqual([
      [9090, 'DISABLE'],
      [0, 'STRICT'],
    ]);
  });

  test('are told apart where a policy names them, so that none is judged as another', () => {
    const policy = authorization(
      { from: [], to: [operation({ ports: ['9000', '8080'], notPorts: ['9001'] })], when: [] },
      { from: [], to: [], when: [{ key: 'destination.port', values: ['9002'], notValues: ['9003'] }] },
      { from: [], to: [], when: [{ key: 'source.ip', values: ['9004'], notValues: [] }] },
      { from: [], to: [operation({ ports: ['x', '70000', '0'] })], when: [] },
    );
    expect(seen(captured, [policy]).map(([port]) => port)).toEqual([9000, 9001, 9002, 9003, 0]);
  });
});
