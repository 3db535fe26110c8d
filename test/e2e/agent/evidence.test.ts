import { describe, expect, test } from 'vitest';
import {
  downstreamTlsContext,
  type JsonObject,
  sdsClusterBootstrap,
  sdsSecret,
} from '../../../src/agent/index.ts';
import { startAgent, trustDomain } from '../../fakes/agent-fixture.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { hasPart, startEnvoy, temporaryDirectory, waitFor } from '../../parts/index.ts';

function bootstrap(socketPath: string, adminSocket: string, transportSocket: JsonObject): JsonObject {
  return {
    node: { id: 'evidence', cluster: 'test' },
    admin: { address: { pipe: { path: adminSocket, mode: 0o600 } } },
    static_resources: {
      listeners: [
        {
          name: 'mtls',
          address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
          filter_chains: [
            {
              transport_socket: transportSocket,
              filters: [
                {
                  name: 'envoy.filters.network.tcp_proxy',
                  typed_config: {
                    '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
                    stat_prefix: 'tcp',
                    cluster: 'citadel_agent',
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [sdsClusterBootstrap(socketPath)],
    },
  };
}

describe.skipIf(!hasPart('envoy'))('evidence from a real Envoy', () => {
  test('sent, accepted and in use are seen of certificate and bundle, and reported', async () => {
    await using directory = await temporaryDirectory('adm');
    const adminSocket = directory.join('admin.sock');
    await using fixture = await startAgent({ service: { sync: true }, agent: { envoy: { adminSocket } } });
    await using envoy = await startEnvoy({
      bootstrap: bootstrap(fixture.socketPath, adminSocket, downstreamTlsContext({ trustDomain })),
    });
    await envoy.waitLive();
    const resource = (name: string) =>
      fixture.agent
        .consumers()
        .find(({ kind }) => kind === 'envoy-sds')
        ?.resources.find((each) => each.name === name);
    const inUse = async (name: string, version: string | undefined) => {
      // Envoy uses a secret before its ACK arrives: the two come in any order.
      const seen = (found: string | undefined) => version !== undefined && found === version;
      await waitFor(() => seen(resource(name)?.inUse) && seen(resource(name)?.accepted), {
        what: `${name} accepted and in use`,
      });
      expect(resource(name)).toMatchObject({
        sent: version,
        accepted: version,
        inUseEvidence: 'envoy-admin',
      });
    };
    const bundleVersion = () => fixture.agent.snapshot().bundles.get(trustDomain)?.version;
    await inUse('default', fixture.service.serials[0]);
    await inUse('ROOTCA', bundleVersion());
    expect(resource('default')?.inUseIssuer).toBe(fixture.agent.snapshot().identity?.issuer);

    const before = bundleVersion();
    fixture.service.roots = [fixture.authority, await TestAuthority.create(trustDomain, 'next')];
    fixture.agent.renewNow();
    await waitFor(() => fixture.service.serials.length === 2 && bundleVersion() !== before);
    await inUse('default', fixture.service.serials[1]);
    await inUse('ROOTCA', bundleVersion());
    const reported = await waitFor(() =>
      fixture.service.reports
        .at(-1)
        ?.report?.consumers[0]?.resources.find(
          ({ inUseVersion }) => inUseVersion === fixture.service.serials[1],
        ),
    );
    expect(reported.inUseEvidence).toBe('envoy-admin');
  });

  test('a NACK is kept with its reason and never taken for an ACK', async () => {
    await using directory = await temporaryDirectory('adm');
    await using fixture = await startAgent();
    const broken = {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
        // A bundle where a certificate and its key are due.
        common_tls_context: { tls_certificate_sds_secret_configs: [sdsSecret('ROOTCA')] },
      },
    };
    await using envoy = await startEnvoy({
      bootstrap: bootstrap(fixture.socketPath, directory.join('admin.sock'), broken),
    });
    const refused = await waitFor(() =>
      fixture.agent.consumers()[0]?.resources.find(({ nackError }) => nackError !== undefined),
    );
    expect(refused.name).toBe('ROOTCA');
    expect(refused.nackError).toContain('private key');
    expect(refused.accepted).toBeUndefined();
    expect(fixture.lines.some(({ level, message }) => level === 'error' && message.includes('NACK'))).toBe(
      true,
    );
    expect(envoy.process.exit).toBeUndefined();
  });
});
