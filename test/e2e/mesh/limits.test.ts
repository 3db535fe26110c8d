import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { type MeshWorkload, startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';

const head = (kind: string, name: string, app = 'orders') => `
apiVersion: security.istio.io/v1
kind: ${kind}
metadata: {namespace: shop, name: ${name}}
spec:
  selector: {matchLabels: {app: ${app}}}`;
const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, n) => n + from);

/** Each is what one author may write, and no proxy is to refuse it, or to be cut off by it. */
const legal: readonly { readonly what: string; readonly text: string }[] = [
  {
    what: 'half of all ports, named by an AuthorizationPolicy',
    text: `${head('AuthorizationPolicy', 'ports')}
  action: DENY
  rules: [${numbers(8)
    .map(
      (n) =>
        `{to: [{operation: {ports: ${JSON.stringify(numbers(4_095, n * 4_095 - 4_094).map(String))}}}], when: [{key: "request.headers[x-deny]", values: ["1"]}]}`,
    )
    .join()}]
`,
  },
  {
    what: 'as many modes of ports as there may be',
    text: `${head('PeerAuthentication', 'modes')}
  portLevelMtls: {${numbers(64, 30_000)
    .map((port) => `"${port}": {mode: ${port % 2 ? 'STRICT' : 'DISABLE'}}`)
    .join()}}
`,
  },
  {
    what: 'the longest templates',
    text: `${head('AuthorizationPolicy', 'templates')}
  action: DENY
  rules: [{to: [{operation: {paths: [${['/{*}'.repeat(16), `/{*}/${'a'.repeat(75)}`, `${'/a'.repeat(15)}/{*}`, `${'/a.b'.repeat(13)}/{**}`, `/{**}/${'.'.repeat(75)}`].map((path) => JSON.stringify(path)).join()}]}}]}]
`,
  },
  {
    what: 'names that are no names',
    text: `${head('AuthorizationPolicy', 'names')}
  action: DENY
  rules:
    - from:
        - source: {namespaces: ["${'é'.repeat(58)}", "*${'ü'.repeat(4_000)}*", "a\\u0000b", "\\ud800"], principals: ["*//", "*\\n"]}
    - when: [{key: "request.headers[${'x'.repeat(1_000)}]", values: ["\\u0000", "a\\r\\nb"]}]
`,
  },
  {
    what: 'trust domains and metadata of any form',
    text: `${head('AuthorizationPolicy', 'domains')}
  action: DENY
  rules:
    - from:
        - source: {trustDomains: ["*${'a.'.repeat(32)}", "*${'é'.repeat(32)}", "${'b'.repeat(4_000)}*", "${'c'.repeat(4_000)}", "\\u0000", "[(.*"]}
    - when:
        - {key: "experimental.envoy.filters.${'x'.repeat(1_000)}[${'y'.repeat(1_000)}]", values: ["[*]", "[é*]", "*", "*\\n"]}
`,
  },
  {
    what: 'rules for tokens of every kind',
    text: `${head('RequestAuthentication', 'tokens')}
  jwtRules:
    - issuer: "\\u0000\\n"
      jwks: '{"keys":[{"kty":"oct","k":"YQ"}]}'
      audiences: ["\\n"]
      fromHeaders: [{name: "x-a", prefix: "\\u0001\\u007f é"}]
      fromParams: ["a b&c=d"]
      spaceDelimitedClaims: ["\\u0000", "a b", "${'é'.repeat(2_000)}"]
      fromCookies: ["a; b"]
      outputPayloadToHeader: "x-b"
`,
  },
];

describe.skipIf(!hasPart('envoy'))('whatever an author may write', () => {
  let mesh: TestMesh;
  let orders: MeshWorkload;
  const ports = { web: 0 };
  const isCurrent = (workload: string) => {
    const proxies =
      mesh.server.app.controlPlane?.proxies().filter((each) => each.workload === workload) ?? [];
    return (
      proxies.length > 0 &&
      proxies.every(({ resources }) =>
        resources.every(({ accepted, wanted, sent }) => accepted === wanted || sent === undefined),
      )
    );
  };
  const streams = () =>
    orders.stats('^control_plane.connected_state$|cluster.citadel_server.upstream_rq_total$');
  const rejected = async () =>
    Object.entries(await orders.stats('update_rejected$')).filter(([, count]) => count > 0);

  beforeAll(async () => {
    const application = await startApplication('web');
    ports.web = await freePort();
    const others = await Promise.all(numbers(7).map(() => freePort()));
    const registry = `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  proxy: capture
  ports: [{port: 8080}, {port: 8081, protocol: tcp}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: web-1, labels: {app: web}}
spec:
  serviceAccount: web
  addresses: [127.0.0.1]
  ports: [${[ports.web, ...others].map((port) => `{port: ${port}, application: "127.0.0.1:${application.port}"}`).join()}]
`;
    mesh = await startTestMesh({ registry: { 'shop.yaml': registry } });
    orders = await mesh.startWorkload('orders-1', 'orders');
    await mesh.startWorkload('web-1', 'web');
  });
  afterAll(() => mesh?.[Symbol.asyncDispose]());

  test.each(legal)('$what: its proxy takes it, and keeps its stream', async ({ text }) => {
    const before = await streams();
    const policies = () => mesh.server.app.controlPlane?.snapshot()?.policies.length;
    await mesh.write('abuse.yaml', text);
    await waitFor(() => policies() === 1, { what: 'the policy' });
    await waitFor(() => isCurrent('files/shop/orders-1'), { what: 'the proxy to have it' });
    expect(await rejected()).toEqual([]);
    expect(await streams()).toEqual(before);
    await mesh.write('abuse.yaml', '');
    await waitFor(() => policies() === 0, { what: 'its end' });
  });

  test('names of filters do not grow with the ports', () => {
    const [proxy] = mesh.server.app.controlPlane?.proxies() ?? [];
    const extensions = proxy?.resources.filter(({ typeUrl }) => typeUrl.endsWith('TypedExtensionConfig'));
    expect(extensions?.length).toBeLessThan(32);
  });

  test('policies that are too much for a proxy let nobody in there, by name, until they are gone', async () => {
    const call = async () => (await exchange(`http://127.0.0.1:${ports.web}/a`)).status;
    expect(await call()).toBe(200);
    const principals = JSON.stringify(
      numbers(4_000).map((n) => `example.org/ns/shop/sa/${n}`.padEnd(250, 'x')),
    );
    const one = (n: number) => `${head('AuthorizationPolicy', `p${n}`, 'web')}
  action: DENY
  rules: [{from: [{source: {principals: ${principals}}}]}]
`;
    await mesh.write('abuse.yaml', numbers(4).map(one).join('---'));
    await waitFor(async () => (await call()) === 403, { what: 'the denial' });
    await waitFor(() => isCurrent('files/shop/web-1'), { what: 'the proxy to have it' });
    const status = mesh.server.app.controlPlane?.policies()[0];
    expect(status?.refusals[0]?.error).toContain('too much for its proxy');
    await waitFor(
      async () =>
        (await mesh.server.app.store.evidence.list())
          .find(({ workload }) => workload === 'files/shop/web-1')
          ?.ports.get(ports.web)?.denials?.policy === 'citadel/too-many-policies',
      { what: 'evidence that names the reason' },
    );
    // The other workload is served as ever.
    expect(isCurrent('files/shop/orders-1')).toBe(true);
    await mesh.write('abuse.yaml', one(1));
    await waitFor(async () => (await call()) === 200, { what: 'calls to pass again' });
  });
});
