import { describe, expect, test } from 'vitest';
import {
  downstreamTlsContext,
  type JsonObject,
  sdsClusterBootstrap,
  upstreamTlsContext,
} from '../../../src/agent/index.ts';
import { startAgent, trustDomain, workloadId } from '../../fakes/agent-fixture.ts';
import { exchange, hasPart, startEnvoy, waitFor } from '../../parts/index.ts';
import { httpManager } from '../../support/envoy-pair.ts';

const callerId = `spiffe://${trustDomain}/ns/shop/sa/caller`;

const anyPort = { socket_address: { address: '127.0.0.1', port_value: 0 } };

function callee(socketPath: string): JsonObject {
  return {
    node: { id: 'callee', cluster: 'test' },
    static_resources: {
      listeners: [
        {
          name: 'mtls',
          address: anyPort,
          filter_chains: [
            {
              transport_socket: downstreamTlsContext({ trustDomain }),
              filters: [
                httpManager({
                  direct_response: { status: 200, body: { inline_string: 'hello' } },
                  response_headers_to_add: [
                    { header: { key: 'x-peer', value: '%DOWNSTREAM_PEER_URI_SAN%' } },
                    { header: { key: 'x-peer-serial', value: '%DOWNSTREAM_PEER_SERIAL%' } },
                  ],
                }),
              ],
            },
          ],
        },
      ],
      clusters: [sdsClusterBootstrap(socketPath)],
    },
  };
}

function caller(socketPath: string, port: number, expected: string): JsonObject {
  return {
    node: { id: 'caller', cluster: 'test' },
    static_resources: {
      listeners: [
        {
          name: 'out',
          address: anyPort,
          filter_chains: [{ filters: [httpManager({ route: { cluster: 'callee' } })] }],
        },
      ],
      clusters: [
        sdsClusterBootstrap(socketPath),
        {
          name: 'callee',
          type: 'STATIC',
          connect_timeout: '2s',
          max_requests_per_connection: 1,
          transport_socket: upstreamTlsContext([expected]),
          load_assignment: {
            cluster_name: 'callee',
            endpoints: [
              {
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
                ],
              },
            ],
          },
        },
      ],
    },
  };
}

describe.skipIf(!hasPart('envoy'))('a real Envoy by SDS over the agent socket', () => {
  test('two Envoys speak mutual TLS, and a new certificate comes into use', async () => {
    await using server = await startAgent();
    await using client = await startAgent({ authority: server.authority, service: { spiffeId: callerId } });
    await using inbound = await startEnvoy({ bootstrap: callee(server.socketPath) });
    await inbound.waitLive();
    const port = await inbound.listenerPort('mtls');
    await using outbound = await startEnvoy({ bootstrap: caller(client.socketPath, port, workloadId) });
    await outbound.waitLive();
    const out = await outbound.listenerPort('out');

    const call = async () => await exchange(`http://127.0.0.1:${out}/`);
    const reply = await waitFor(async () => {
      const answer = await call();
      return answer.status === 200 && answer;
    });
    expect(reply.body).toBe('hello');
    expect(reply.headers['x-peer']).toBe(callerId);
    const first = client.service.serials.at(-1);
    expect(reply.headers['x-peer-serial']).toBe(first);

    client.agent.renewNow();
    const second = await waitFor(() => client.service.serials.length === 2 && client.service.serials.at(-1));
    expect(second).not.toBe(first);
    await waitFor(async () => (await call()).headers['x-peer-serial'] === second, {
      what: 'the new serial in use',
    });
  });
});
