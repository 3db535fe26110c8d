import { stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { exchange, hasPart, startEnvoy } from '../../parts/index.ts';

const directResponse = {
  name: 'hello',
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [
    {
      filters: [
        {
          name: 'http',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            stat_prefix: 'hello',
            http_filters: [
              {
                name: 'router',
                typed_config: {
                  '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
                },
              },
            ],
            route_config: {
              virtual_hosts: [
                {
                  name: 'all',
                  domains: ['*'],
                  routes: [
                    {
                      match: { prefix: '/' },
                      direct_response: { status: 200, body: { inline_string: 'hello' } },
                    },
                  ],
                },
              ],
            },
          },
        },
      ],
    },
  ],
};

describe.skipIf(!hasPart('envoy'))('startEnvoy', () => {
  it('serves a listener on a free port and its admin on a Unix socket of mode 0600', async () => {
    await using envoy = await startEnvoy({
      bootstrap: { static_resources: { listeners: [directResponse] } },
    });
    await envoy.waitLive();

    expect(await envoy.adminGet('/ready')).toMatchObject({ status: 200, body: 'LIVE\n' });
    expect((await stat(envoy.admin)).mode & 0o777).toBe(0o600);
    const reply = await exchange(`http://127.0.0.1:${await envoy.listenerPort('hello')}/`);
    expect(reply).toMatchObject({ status: 200, body: 'hello' });
    expect(await envoy.stats('^http\\.hello\\.downstream_rq_2xx$')).toEqual({
      'http.hello.downstream_rq_2xx': 1,
    });
  });

  it('runs beside another, and is gone after dispose', async () => {
    const [one, two] = await Promise.all([startEnvoy({ bootstrap: {} }), startEnvoy({ bootstrap: {} })]);
    await Promise.all([one.waitLive(), two.waitLive()]);
    expect(one.admin).not.toBe(two.admin);

    await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
    expect(one.process.exit).toBeDefined();
    await expect(stat(one.directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keeps an admin of the bootstrap on TCP', async () => {
    const address = { socket_address: { address: '127.0.0.1', port_value: 0 } };
    await using envoy = await startEnvoy({ bootstrap: { admin: { address } } });
    await envoy.waitLive();
    expect(envoy.admin).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  });

  it('fails with what Envoy said about a broken bootstrap', async () => {
    await expect(startEnvoy({ bootstrap: { no_such_field: 1 } })).rejects.toThrow(/no_such_field/);
  });
});
