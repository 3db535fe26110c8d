import { describe, expect, test } from 'vitest';
import type { Workload } from '../../../../src/domain/mesh/index.ts';
import { undeclaredPorts } from '../../../../src/domain/mesh/undeclared.ts';
import type { AuthorizationPolicy, OperationMatch, Policy } from '../../../../src/domain/policy/index.ts';
import { mutualTlsModeOf } from '../../../../src/domain/policy/index.ts';
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

const seen = (of: Workload, policies: readonly Policy[]) =>
  undeclaredPorts(of, policies, 'j', (port) => mutualTlsModeOf(policies, port)).map(({ port, mode }) => [
    port.port,
    mode,
  ]);

describe('the ports that no registry declares', () => {
  test('are none where nothing is captured', () => {
    expect(seen(workload('orders'), [peerAuthentication('STRICT')])).toEqual([]);
  });

  test('have the workload’s mode, all together', () => {
    expect(seen(captured, [])).toEqual([[0, 'PERMISSIVE']]);
    expect(seen(captured, [peerAuthentication('STRICT')])).toEqual([[0, 'STRICT']]);
  });

  test('are bytes, and go to where they were going', () => {
    expect(undeclaredPorts(captured, [], 'j', () => 'STRICT')[0]?.port).toEqual({
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

  test('are one however many an author names', () => {
    const ports = Array.from({ length: 4_096 }, (_, index) => String(index + 1));
    const policy = authorization(
      { from: [], to: [operation({ ports, notPorts: ports })], when: [] },
      { from: [], to: [], when: [{ key: 'destination.port', values: ports, notValues: ports }] },
    );
    expect(seen(captured, [policy])).toEqual([[0, 'PERMISSIVE']]);
  });
});
