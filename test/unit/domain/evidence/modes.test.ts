import { describe, expect, test } from 'vitest';
import { portModes } from '../../../../src/domain/evidence/modes.ts';
import type { ProxyState, ProxyView } from '../../../../src/domain/mesh/index.ts';
import { settings, workload } from '../mesh/samples.ts';
import { at, counters } from './samples.ts';

const view: ProxyView = {
  settings,
  workload: workload('orders'),
  inbound: [
    {
      port: { port: 8080, protocol: 'http', application: { address: '127.0.0.1', port: 1 } },
      judgement: 'j',
      mode: 'STRICT',
    },
  ],
  strict: false,
  policies: [],
  keySets: new Map(),
  services: [],
  egress: [],
};

type Listener = ProxyState['resources'][number];

function proxy(changes: Partial<Listener>): ProxyState {
  const listener: Listener = {
    typeUrl: 'type.googleapis.com/envoy.config.listener.v3.Listener',
    name: 'inbound/8080',
    wanted: 'v2',
    sent: 'v2',
    accepted: 'v2',
    acceptedAt: at(90),
    error: undefined,
    ...changes,
  };
  return {
    proxy: { proxyKey: 'k', spiffeId: 's', svidSerial: '1', nodeId: 'n', nodeMetadata: {} },
    workload: 'w',
    connectedAt: at(0),
    isBehind: false,
    resources: [listener],
  };
}

describe('the mode of a port', () => {
  test.each([
    { what: 'accepted and drained', states: [proxy({})], has: counters(), detail: undefined },
    {
      what: 'of an earlier state of the mesh',
      states: [{ ...proxy({}), isBehind: true }],
      has: counters(),
      detail: /could not be made anew yet/,
    },
    { what: 'no stream', states: [], has: counters(), detail: /not connected/ },
    {
      what: 'an earlier version accepted',
      states: [proxy({ accepted: 'v1' })],
      has: counters(),
      detail: /not accepted/,
    },
    {
      what: 'refused',
      states: [proxy({ error: 'bad' })],
      has: counters(),
      detail: /refuses the listener: bad/,
    },
    {
      what: 'draining',
      states: [proxy({})],
      has: counters({ draining: 1, drainTime: 60_000 }),
      detail: /draining until at most 2030-01-01T00:02:30Z/,
    },
    { what: 'warming', states: [proxy({})], has: counters({ warming: 1 }), detail: /not in use yet/ },
    {
      what: 'no report since the change',
      states: [proxy({})],
      has: counters({ observedAt: at(90) }),
      detail: /draining until at most 2030-01-01T00:11:30Z/,
    },
    { what: 'no report at all', states: [proxy({})], has: undefined, detail: /draining until at most/ },
  ])('$what', ({ states, has, detail }) => {
    const [mode] = portModes(view, states, has, at(110));
    expect(mode?.wanted).toBe('STRICT');
    expect(mode?.effective).toBe(detail === undefined ? 'STRICT' : undefined);
    if (detail) expect(mode?.detail).toMatch(detail);
  });
});
