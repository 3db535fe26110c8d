import { type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort, hasPart } from '../../parts/index.ts';
import { createApplication } from '../../support/http-application.ts';
import { startTestMesh } from '../../support/mesh.ts';
import { registryText } from '../../support/registry.ts';
import { statusByHttp1, statusByHttp2, statusOf, type WrittenRequest } from '../../support/written-http.ts';

const policy = (action: string, name: string, rules: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ${name}}
spec:
  selector: {matchLabels: {app: orders}}
  action: ${action}
  rules: ${rules}
`;
const denials = [
  policy('DENY', 'paths', '[{to: [{operation: {paths: ["/admin", "/admin/*"]}}]}]'),
  policy('DENY', 'methods', '[{to: [{operation: {methods: [DELETE]}}]}]'),
  policy('DENY', 'hosts', '[{to: [{operation: {hosts: [internal.shop, "internal.shop:*"]}}]}]'),
  policy('DENY', 'headers', '[{when: [{key: "request.headers[x-role]", values: [guest]}]}]'),
  policy('ALLOW', 'badge', '[{when: [{key: "request.headers[x-badge]", values: ["*"]}]}]'),
];

/** What the application was asked, and what of it is denied. */
const asked: string[] = [];
const forbidden = /^DELETE |^\S+ \/admin(?:[/?; ]|$)|internal\.shop|guest/;
let port = 0;

const denied = [
  '/admin',
  '/admin/x',
  '/%61dmin',
  '/%61%64%6D%69%6e',
  '//admin',
  '///admin//x',
  '/./admin',
  '/././admin',
  '/x/../admin',
  '/x/%2e%2e/admin',
  '/x/.%2E/admin',
  '/../admin',
  '/%2Fadmin',
  '/%2f%2Fadmin',
  '/%5cadmin',
  '/%5Cadmin/x',
  '/\\admin',
  '/x/..%2fadmin',
  '/x%5c..%5cadmin',
  '/admin%2fx',
  '/admin?x',
  '/admin/?x=/../y',
  '/x/..;/admin',
  '/x/..;v=1/admin',
  '/admin/../admin',
  '/x;/../admin',
];
const refused = [
  '/admin;x=1',
  '/admin;',
  '/;/admin',
  '/admin%3bx',
  '/admin%3Bx',
  '/%00/admin',
  '/admin%00',
  '/admin%00.css',
  '/%c0%afadmin',
  '/admin%C0%AFx',
  '/x/%c0%ae%c0%ae/admin',
  '/%e0%80%afadmin',
  '/%F0%80%80%AFadmin',
  '/x%c1%9cadmin',
  '/%u002fadmin',
  '/%uff0fadmin',
  '/admin#x',
  '/x#/../admin',
  '*',
  'admin',
  '?/admin',
];
/** Another path to whoever reads RFC 3986: what makes them one is for the author to name. */
const others = [
  '/Admin',
  '/%2561dmin',
  '/admin.',
  '/admin%20',
  '/x?/admin',
  '/x?a=/../admin',
  '/administrator',
  '/x//../admin',
];

/** What every request has that is to be let in. */
const badge = 'x-badge: 7';
const http1 = ({ headers = [], ...rest }: WrittenRequest) =>
  statusByHttp1(port, { ...rest, headers: [badge, ...headers] });
const http2 = ({ headers = [], ...rest }: WrittenRequest) =>
  statusByHttp2(port, { ...rest, headers: [badge, ...headers] });

describe.skipIf(!hasPart('envoy'))('a caller who wants to get around a policy', () => {
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    const application = stack.use(await startApplication());
    port = await freePort();
    const mesh = stack.use(
      await startTestMesh({
        registry: {
          'shop.yaml': registryText([{ name: 'orders', ports: [{ port, application: application.port }] }]),
          'policies.yaml': denials.join('---'),
        },
      }),
    );
    await mesh.startWorkload('orders', 'orders');
  });
  afterAll(() => stack.disposeAsync());
  afterEach(() => {
    expect(asked.splice(0).filter((line) => forbidden.test(line))).toEqual([]);
  });

  test('is let in where none speaks of him', async () => {
    expect([await http1({}), await http2({})]).toEqual([200, 200]);
    expect(asked).toHaveLength(2);
    expect(
      await statusOf(port, 'GET /ok HTTP/1.1\r\nHost: orders\r\n\r\n'),
      'without the header that is allowed',
    ).toBe(403);
  });

  test.each(denied)('by the path %s is denied', async (target) => {
    expect([await http1({ target }), await http2({ target })]).toEqual([403, 403]);
  });

  test.each(refused)('by the path %s is refused', async (target) => {
    for (const status of [await http1({ target }), await http2({ target })])
      expect([0, 400, 403, 404]).toContain(status);
  });

  test.each(others)('by the path %s asks for something else', async (target) => {
    expect([await http1({ target }), await http2({ target })]).toEqual([200, 200]);
  });

  const guest = ['x-role: guest'];
  const hidden = `GET /admin HTTP/1.1\r\nHost: orders\r\n${badge}\r\n\r\n`;
  test.each<readonly [string, WrittenRequest, number]>([
    ['a header', { headers: guest }, 403],
    ['a header in capitals', { headers: ['X-ROLE: guest'] }, 403],
    ['a header that comes twice', { headers: ['x-role: admin', ...guest] }, 403],
    ['a header that comes twice, the other way', { headers: [...guest, 'x-role: admin'] }, 403],
    ['a header with spaces around its value', { headers: ['x-role: \t guest \t'] }, 403],
    ['a header on a second line', { headers: ['x-role:', ' guest'] }, 403],
    ['a space behind the name of a header', { headers: ['x-role : guest'] }, 400],
    [
      'a header of the connection, which the application is not given either',
      { headers: ['Connection: x-role', ...guest] },
      200,
    ],
    ['a header that is allowed, given away to the connection', { headers: ['Connection: x-badge'] }, 403],
    ['an underscore, which is another name', { headers: ['x_role: guest'] }, 200],
    ['a value in another case, which is another value', { headers: ['x-role: Guest'] }, 200],
    ['the host', { host: 'internal.shop' }, 403],
    ['the host in capitals', { host: 'INTERNAL.shop' }, 403],
    ['the host with its dot', { host: 'internal.shop.' }, 403],
    ['the host with a port', { host: 'internal.shop:80' }, 403],
    ['the host with its dot and a port', { host: 'internal.shop.:80' }, 403],
    ['the host behind a user', { host: 'user@internal.shop' }, 403],
    ['the host beside another', { host: 'orders', headers: ['Host: internal.shop'] }, 403],
    ['the host in the target', { target: 'http://internal.shop/ok' }, 403],
    ['the path behind a host', { target: 'http://orders/admin' }, 403],
    ['the path behind a host, escaped', { target: 'http://orders/x%2f..%2f%61dmin' }, 403],
    ['a target without a path', { target: 'http://orders?/admin' }, 404],
    ['a target of another scheme', { target: 'ftp://orders/admin' }, 400],
    ['a header that names another path', { target: '/admin', headers: ['X-Envoy-Original-Path: /ok'] }, 403],
    ['a header that says where it came from', { target: '/admin', headers: ['X-Envoy-Internal: true'] }, 403],
    ['a method', { method: 'DELETE' }, 403],
    ['a method in small letters', { method: 'delete' }, 400],
    [
      'a header that means another method, which is for the application',
      { headers: ['X-HTTP-Method-Override: DELETE'] },
      200,
    ],
    ['an upgrade', { target: '/admin', headers: ['Connection: Upgrade', 'Upgrade: websocket'] }, 403],
    [
      'an upgrade to HTTP/2',
      {
        target: '/admin',
        headers: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: '],
      },
      403,
    ],
    ['a tunnel', { method: 'CONNECT', target: 'orders:80', host: 'orders:80' }, 404],
    [
      'two lengths',
      { method: 'POST', headers: ['Content-Length: 0', 'Content-Length: 52'], body: hidden },
      400,
    ],
    [
      'a length and chunks',
      {
        method: 'POST',
        headers: ['Content-Length: 5', 'Transfer-Encoding: chunked'],
        body: `0\r\n\r\n${hidden}`,
      },
      400,
    ],
    [
      'chunks by another name',
      { method: 'POST', headers: ['Transfer-Encoding: xchunked'], body: `0\r\n\r\n${hidden}` },
      501,
    ],
    [
      'chunks among others',
      { method: 'POST', headers: ['Transfer-Encoding: chunked, identity'], body: `0\r\n\r\n${hidden}` },
      501,
    ],
  ])('by %s is answered as meant', async (_name, parts, expected) => {
    expect(await http1(parts)).toBe(expected);
  });

  test.each<readonly [string, WrittenRequest, number]>([
    ['a header', { headers: guest }, 403],
    ['the host', { host: 'INTERNAL.shop.:80' }, 403],
    ['the host beside another', { host: 'internal.shop', headers: ['host: orders'] }, 403],
    ['a method in small letters', { method: 'delete' }, 403],
    ['a method in small letters that nobody denies', { method: 'get' }, 403],
    ['bytes above ASCII, which are escaped', { target: '/caf\xe9' }, 200],
  ])('by HTTP/2 and %s is answered as meant', async (_name, parts, expected) => {
    expect(await http2(parts)).toBe(expected);
  });

  test('by lines that end in a newline alone, or in the words of HTTP/1.0, is denied', async () => {
    expect(await statusOf(port, 'GET /admin HTTP/1.1\nHost: orders\nx-badge: 7\n\n')).toBe(403);
    expect(await statusOf(port, 'GET /admin HTTP/1.0\r\nHost: orders\r\nx-badge: 7\r\n\r\n')).toBe(426);
  });

  test('by a trailer has no header that is allowed', async () => {
    const head =
      'POST /ok HTTP/1.1\r\nHost: orders\r\nTransfer-Encoding: chunked\r\nTrailer: x-badge\r\n\r\n';
    expect(await statusOf(port, `${head}0\r\nx-badge: 7\r\n\r\n`)).toBe(403);
  });
});

async function startApplication(): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createApplication((request, response) => {
    asked.push(
      `${request.method} ${request.url} ${request.headers.host} ${String(request.headers['x-role'])}`,
    );
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
