import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { readRecordLines } from '../../../src/domain/records/index.ts';
import { exchange, hasPart, startEnvoy, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { workload } from '../../unit/domain/mesh/samples.ts';

const type = (name: string) => `type.googleapis.com/envoy.${name}`;

/** Istio's default fields, and the two that docs/policies.md asks for beside them. */
const fields = {
  authority: '%REQ(:AUTHORITY)%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  duration: '%DURATION%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  request_id: '%REQ(X-REQUEST-ID)%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  response_code: '%RESPONSE_CODE%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  response_flags: '%RESPONSE_FLAGS%',
  route_name: '%ROUTE_NAME%',
  start_time: '%START_TIME%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  user_agent: '%REQ(USER-AGENT)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  downstream_peer_uri_san: '%DOWNSTREAM_PEER_URI_SAN%',
  downstream_direct_remote_address: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%',
};

const noAdmin = {
  action: 'DENY',
  policies: {
    'ns[shop]-policy[no-admin]-rule[1]': {
      permissions: [{ url_path: { path: { prefix: '/admin' } } }],
      principals: [{ any: true }],
    },
  },
};

const bootstrap = (application: number, log: string) => ({
  static_resources: {
    listeners: [
      {
        name: 'inbound',
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
        filter_chains: [
          {
            filters: [
              {
                name: 'http',
                typed_config: {
                  '@type': type(
                    'extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                  ),
                  stat_prefix: 'inbound',
                  access_log: [
                    {
                      name: 'file',
                      typed_config: {
                        '@type': type('extensions.access_loggers.file.v3.FileAccessLog'),
                        path: log,
                        log_format: { json_format: fields },
                      },
                    },
                  ],
                  http_filters: [
                    {
                      name: 'rbac',
                      typed_config: { '@type': type('extensions.filters.http.rbac.v3.RBAC'), rules: noAdmin },
                    },
                    {
                      name: 'router',
                      typed_config: { '@type': type('extensions.filters.http.router.v3.Router') },
                    },
                  ],
                  route_config: {
                    virtual_hosts: [
                      {
                        name: 'all',
                        domains: ['*'],
                        routes: [{ match: { prefix: '/' }, route: { cluster: 'inbound|8080||' } }],
                      },
                    ],
                  },
                },
              },
            ],
          },
        ],
      },
    ],
    clusters: [
      {
        name: 'inbound|8080||',
        connect_timeout: '1s',
        load_assignment: {
          cluster_name: 'inbound|8080||',
          endpoints: [
            {
              lb_endpoints: [
                {
                  endpoint: {
                    address: { socket_address: { address: '127.0.0.1', port_value: application } },
                  },
                },
              ],
            },
          ],
        },
      },
    ],
  },
});

async function* linesOf(text: string) {
  yield* text.split('\n');
}

describe.skipIf(!hasPart('envoy'))('an access log in Istio’s JSON', () => {
  test('is read as a real Envoy writes it', async () => {
    await using directory = await temporaryDirectory('istio-log');
    const application = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(application, 'listening');
    const address = application.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const log = directory.join('access.log');
    await using envoy = await startEnvoy({
      bootstrap: bootstrap(address.port, log),
      args: ['--file-flush-interval-msec', '50'],
    });
    await envoy.waitLive();
    const port = await envoy.listenerPort('inbound');
    const call = (path: string) => exchange(`http://127.0.0.1:${port}${path}`);
    expect((await call('/orders/1?token=secret')).status).toBe(200);
    expect((await call('/orders/1')).status).toBe(200);
    expect((await call('/admin')).status).toBe(403);
    application.close();
    const text = await waitFor(
      async () => {
        const written = await readFile(log, 'utf8').catch(() => '');
        return written.trim().split('\n').length === 3 ? written : undefined;
      },
      { what: 'three lines' },
    );
    const orders = workload('orders', {
      ports: [{ port, protocol: 'http', application: { address: '', port: 1 } }],
    });
    const { records, faults, passedOver } = await readRecordLines(linesOf(text), {
      workloads: [orders],
      since: undefined,
    });
    expect({ faults, passedOver }).toStrictEqual({ faults: [], passedOver: 0 });
    const plain = { transport: 'plaintext', caller: undefined, addresses: ['127.0.0.1'], lacks: [], port };
    expect(records).toMatchObject([
      { ...plain, path: '/orders/1', decision: 'allowed', count: 2, host: `127.0.0.1:${port}` },
      {
        ...plain,
        path: '/admin',
        decision: 'denied',
        policy: 'shop/no-admin',
        rule: 1,
        refusedBy: 'policies',
      },
    ]);
    expect(JSON.stringify(records)).not.toContain('secret');
  });
});
