import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startGrpcAuthorizer } from '../../fakes/grpc-authorizer.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { registryText } from '../../support/registry.ts';

const authorizerService = (port: number) => `
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: auth, name: keys}
spec:
  ports: [{port: 80, protocol: http2}]
  endpoints: ["127.0.0.1:${port}"]
`;

/** The provider is asked about everything, and what it leaves decides. */
const policies = (filter: string, values: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ask}
spec:
  action: CUSTOM
  provider: {name: keys}
  rules: [{}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: gold}
spec:
  action: ALLOW
  rules: [{when: [{key: "experimental.envoy.filters.${filter}", values: ${values}}]}]
`;

/** Whether a connection that sends something gets something back. */
function isServed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve(false));
  });
}

describe.skipIf(!hasPart('envoy'))('a condition on what a filter has left', () => {
  test('sees what an authorizer says of a request, and of a connection, each from its own filter', async () => {
    await using application = await startApplication('orders');
    await using authorizer = await startGrpcAuthorizer({ tier: 'gold', groups: ['dev', 'staff'] });
    const [http, tcp] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'shop.yaml': registryText([
          {
            name: 'orders',
            ports: [
              { port: http, application: application.port },
              { port: tcp, protocol: 'tcp', application: application.port },
            ],
          },
        ]),
        'auth.yaml': authorizerService(authorizer.port),
        'policies.yaml': policies('http.ext_authz[tier]', '[gold]'),
      },
      mesh: {
        authorizationProviders: [{ name: 'keys', protocol: 'grpc', service: 'auth/keys', port: 80 }],
      },
    });
    await mesh.startWorkload('orders', 'orders');
    const status = async () => (await exchange(`http://127.0.0.1:${http}/`)).status;
    const rule = (filter: string, values: string) => mesh.write('policies.yaml', policies(filter, values));

    await waitFor(async () => (await status()) === 200, { what: 'the tier to be matched' });
    expect(await isServed(tcp), 'a connection knows nothing of a filter for requests').toBe(false);
    authorizer.left = { tier: 'silver', groups: ['dev'] };
    expect(await status()).toBe(403);
    await rule('http.ext_authz[groups]', '["[staff]"]');
    authorizer.left = { groups: ['dev', 'staff'] };
    await waitFor(async () => (await status()) === 200, { what: 'the list to be looked at' });
    authorizer.left = { groups: 'staff' };
    expect(await status(), 'a string is no list').toBe(403);

    await rule('network.ext_authz[tier]', '["go*"]');
    authorizer.left = { tier: 'gold' };
    await waitFor(() => isServed(tcp), { what: 'the connection to be served' });
    expect(await status(), 'nor a request of one for connections').toBe(403);
    authorizer.left = { tier: 'silver' };
    expect(await isServed(tcp)).toBe(false);
  });
});
