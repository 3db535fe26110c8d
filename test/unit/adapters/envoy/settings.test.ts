import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createEnvoyRenderer } from '../../../../src/adapters/envoy/index.ts';
import type { MeshSettings, MeshTls } from '../../../../src/domain/mesh/index.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, viewOf } from '../../../../src/domain/mesh/view.ts';
import { Cluster } from '../../../../src/gen/envoy/config/cluster/v3/cluster.ts';
import type { TransportSocket } from '../../../../src/gen/envoy/config/core/v3/base.ts';
import { Listener } from '../../../../src/gen/envoy/config/listener/v3/listener.ts';
import type { FilterChain } from '../../../../src/gen/envoy/config/listener/v3/listener_components.ts';
import { TlsParameters_TlsProtocol as Version } from '../../../../src/gen/envoy/extensions/transport_sockets/tls/v3/common.ts';
import {
  type CommonTlsContext,
  DownstreamTlsContext,
  UpstreamTlsContext,
} from '../../../../src/gen/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { content, service, settings, workload } from '../../domain/mesh/samples.ts';

/** Of a proxy under capture, which calls a service with an address and one without. */
function render(over: Partial<MeshSettings> = {}, strict = false) {
  const orders = workload('orders', { proxy: 'capture', addresses: ['10.0.0.1'] });
  const services = [{ ...service('orders', orders), addresses: ['10.96.0.1'] }, service('headless', orders)];
  const parts = { isStrict: () => strict };
  const snapshot = composeSnapshot({ ...settings, ...over }, [content([orders], services)], parts);
  const view = viewOf(indexMesh(snapshot), orders.id);
  if (!view) throw new Error('no view');
  const resources = createEnvoyRenderer().render(view);
  const decoded = <T>(type: string, { decode }: { readonly decode: (input: Uint8Array) => T }) =>
    [...(resources.get(`type.googleapis.com/envoy.config.${type}`)?.values() ?? [])].map(({ value }) =>
      decode(value),
    );
  return {
    listeners: decoded('listener.v3.Listener', Listener),
    clusters: decoded('cluster.v3.Cluster', Cluster),
  };
}

type Decoder = { decode(input: Uint8Array): { readonly commonTlsContext: CommonTlsContext | undefined } };

function parametersIn(sockets: readonly (TransportSocket | undefined)[], message: Decoder) {
  return sockets.flatMap((socket) =>
    socket?.name === 'envoy.transport_sockets.tls' && socket.configType
      ? [message.decode(socket.configType.value.value).commonTlsContext?.tlsParams]
      : [],
  );
}

/** The parameters of each context of mutual TLS. */
function parameters(tls?: MeshTls) {
  const { listeners, clusters } = render(tls ? { tls } : {});
  return {
    inbound: parametersIn(
      listeners.flatMap(({ filterChains }) => filterChains.map((chain) => chain.transportSocket)),
      DownstreamTlsContext,
    ),
    outbound: parametersIn(
      clusters.flatMap((cluster) => [
        cluster.transportSocket,
        ...cluster.transportSocketMatches.map((match) => match.transportSocket),
      ]),
      UpstreamTlsContext,
    ),
  };
}

describe('a drain of what is open by mutual TLS', () => {
  const chains = (drainGeneration: number, strict: boolean) =>
    new Map(
      render({ drainGeneration }, strict).listeners.flatMap(({ name, filterChains }) =>
        filterChains.map((chain) => [`${name} ${chain.name}`, chain] as const),
      ),
    );
  const isMutual = (chain: FilterChain | undefined) =>
    chain?.transportSocket?.name === 'envoy.transport_sockets.tls';

  test.each([
    ['as permissive as it was', false],
    ['on its way to be strict', true],
  ])('of a workload %s changes the chains of mutual TLS, and no other', (_what, strict) => {
    const [before, after] = [chains(1, strict), chains(2, strict)];
    expect([...after.keys()]).toStrictEqual([...before.keys()]);
    const changed = [...after].filter(([name, chain]) => !isDeepStrictEqual(chain, before.get(name)));
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.map(([name]) => name)).toStrictEqual(
      [...after].filter(([, chain]) => isMutual(chain)).map(([name]) => name),
    );
  });

  test('leaves the switch to strict what it is without one: it closes nothing that is open by mutual TLS', () => {
    for (const generation of [0, 7]) {
      const [permissive, strict] = [chains(generation, false), chains(generation, true)];
      const kept = [...strict].filter(([name, chain]) => isMutual(chain) && permissive.has(name));
      expect(kept.length).toBeGreaterThan(0);
      for (const [name, chain] of kept) expect(chain).toStrictEqual(permissive.get(name));
      expect(strict.size).toBeLessThan(permissive.size + kept.length);
    }
  });
});

describe('TLS between proxies', () => {
  test.for<[string, MeshTls, Version, string[]]>([
    [
      'post-quantum',
      { postQuantum: true, minimumVersion: '1.3' },
      Version.TLSv1_3,
      ['X25519MLKEM768', 'X25519', 'P-256'],
    ],
    ['classical', { postQuantum: false, minimumVersion: '1.3' }, Version.TLSv1_3, ['X25519', 'P-256']],
    [
      'from TLS 1.2',
      { postQuantum: true, minimumVersion: '1.2' },
      Version.TLSv1_2,
      ['X25519MLKEM768', 'X25519', 'P-256'],
    ],
  ])('is, %s, the same in each context', ([, tls, minimum, groups]) => {
    const { inbound, outbound } = parameters(tls);
    const wanted = {
      tlsMinimumProtocolVersion: minimum,
      tlsMaximumProtocolVersion: Version.TLSv1_3,
      ecdhCurves: groups,
    };
    // Of the declared port, and of all others.
    expect(inbound).toMatchObject([wanted, wanted]);
    // By a service's own address, and of the one without.
    expect(outbound).toMatchObject([wanted, wanted, wanted]);
  });
});

const outlierDetection = {
  consecutive5xx: 7,
  interval: 1_500,
  baseEjectionTime: 20_000,
  maxEjectionPercent: 40,
};

const outbound = (over?: Partial<MeshSettings>) =>
  render(over).clusters.filter(({ name }) => name.startsWith('outbound/'));

describe('clusters of services', () => {
  test('wait 5 s for a connection, and leave no endpoint out', () => {
    expect(outbound()).toHaveLength(2);
    for (const cluster of outbound()) {
      expect(cluster.connectTimeout).toMatchObject({ seconds: 5n, nanos: 0 });
      expect(cluster.outlierDetection).toBeUndefined();
    }
  });

  test('leave endpoints out by failures in a row, and by nothing else, where an operator wants it', () => {
    for (const cluster of outbound({ outlierDetection }))
      expect(cluster.outlierDetection).toMatchObject({
        consecutive5xx: 7,
        interval: { seconds: 1n, nanos: 500_000_000 },
        baseEjectionTime: { seconds: 20n, nanos: 0 },
        maxEjectionPercent: 40,
        alwaysEjectOneHost: true,
        enforcingSuccessRate: 0,
      });
  });

  test('alone do: an endpoint that the application chose itself has no other', () => {
    const others = render({ outlierDetection }).clusters.filter(({ name }) => !name.startsWith('outbound/'));
    expect(others.map(({ name }) => name)).toContain('direct/shop/headless/80');
    expect(others.filter((cluster) => cluster.outlierDetection)).toEqual([]);
  });
});
