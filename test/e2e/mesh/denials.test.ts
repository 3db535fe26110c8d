import { writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainDenial } from '../../../src/cli/commands/policy-explain-denial.ts';
import { readCandidates } from '../../../src/cli/policy-candidates.ts';
import { freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { createApplication } from '../../support/http-application.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: secret-plan, namespace: shop }
spec:
  action: DENY
  rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: secret-door, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]
      to: [{ operation: { methods: ["GET"], paths: ["/orders/*"] } }]
      when: [{ key: "request.headers[x-client]", values: ["v2"] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: secret-guard, namespace: shop }
spec:
  action: CUSTOM
  provider: { name: keys }
  rules: [{ to: [{ operation: { paths: ["/guarded*"] } }] }]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: secret-tokens, namespace: shop }
spec:
  jwtRules:
    - issuer: https://accounts.example
      jwks: |
        {"keys":[{"kty":"EC","crv":"P-256","kid":"example","alg":"ES256","use":"sig",
          "x":"Kn9loMQAJhLtzTx3h07gL_ssKWdkgCFTQMaEn0EQPks","y":"9DcAQaIfcdZPrueo1Sl2hgE6szf8Cizjp3NZHIj3HKE"}]}
`;

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe.skipIf(!hasPart('envoy'))('a denied caller', () => {
  const stack = new AsyncDisposableStack();
  let mesh: TestMesh;
  let web = 0;
  let port = 0;
  let tcp = 0;

  beforeAll(async () => {
    const application = stack.use(await startApplication('orders'));
    const authorizer = createApplication((_, response) => response.writeHead(403).end());
    await new Promise<void>((resolve) => authorizer.listen(0, '127.0.0.1', resolve));
    stack.defer(() => void authorizer.close());
    const address = authorizer.address();
    if (address === null || typeof address === 'string') throw new Error('the authorizer has no port');
    [port, web, tcp] = [await freePort(), await freePort(), await freePort()];
    const text = registryText(
      [
        {
          name: 'orders',
          ports: [
            { port, application: application.port },
            { port: tcp, protocol: 'tcp', application: application.port },
          ],
        },
        ...callersOf('orders', 80, { web }),
      ],
      [{ name: 'orders', ports: [{ port: 80, targetPort: port }] }],
    );
    const auth = `
apiVersion: citadel.dev/v1
kind: Service
metadata: { namespace: auth, name: keys }
spec: { ports: [{ port: 80 }], endpoints: ["127.0.0.1:${address.port}"] }
`;
    mesh = stack.use(
      await startTestMesh({
        registry: { 'shop.yaml': text, 'auth.yaml': auth, 'policies.yaml': policies },
        mesh: {
          // Of what is allowed nothing is told: denials must not hang on a sample.
          accessLog: { sample: 0 },
          authorizationProviders: [{ name: 'keys', protocol: 'http', service: 'auth/keys', port: 80 }],
        },
      }),
    );
    await Promise.all(['orders', 'web'].map((name) => mesh.startWorkload(name, name)));
    const open = () => ask({ path: '/orders/1', headers: { 'x-client': 'v2' } });
    await waitFor(async () => (await open()).status === 200, { what: 'the call that is allowed' });
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  interface Asked {
    readonly from?: number;
    readonly method?: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
  }

  function ask({ from = web, method = 'GET', path, headers = {} }: Asked): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: from,
          method,
          path,
          agent: false,
          headers: { host: 'orders.shop', ...headers },
        },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            body += chunk;
          });
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
        },
      );
      sent.once('error', reject);
      sent.end();
    });
  }

  const options = () => ({
    socket: join(mesh.server.directory, 'operator.sock'),
    timeout: 10,
    trustDomain: 'example.org',
    trustDomainAlias: [],
    rootNamespace: 'root',
    authorizationProvider: [],
    header: [],
    withoutHeader: [],
    custom: [],
  });
  /** The name that a denied caller is given, and nothing else. */
  const denied = async (asked: Asked) => {
    const reply = await ask(asked);
    const id = reply.headers['x-citadel-denial'];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify([reply.headers, reply.body]), 'what the caller learns').not.toMatch(
      /secret|policy|keys/,
    );
    return String(id);
  };
  const explain = async (asked: Asked) => explainDenial(await denied(asked), options(), readCandidates([]));
  /** By the program, as an author does it. */
  const printed = async (asked: Asked) => {
    const { socket } = options();
    const { code, stdout, stderr } = await runCitadel(
      ['policy', 'explain', '--denial', await denied(asked), '--socket', socket],
      { directory: mesh.server.directory, home: 'home' },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  const caller = 'spiffe://example.org/ns/shop/sa/web';

  test('by a DENY has a name by which an author is told the policy, rule and entry', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.9' };
    const { record } = await explain({ path: '/x/../admin?password=1', headers: forwarded });
    expect(record).toMatchObject({
      denial: {
        workload: 'files/shop/orders',
        port,
        transport: 'mtls',
        callerId: caller,
        remoteAddress: '203.0.113.9',
        method: 'GET',
        path: '/admin',
        host: 'orders.shop',
        step: 'DENY',
        policy: 'shop/secret-plan',
        rule: 0,
      },
      policiesSince: 'same',
      // By the proxy's own word.
      rulesSince: 'same',
      explanation: {
        verdict: 'deny',
        policies: { step: 'DENY', by: { fields: [{ name: 'paths', entry: '/admin*', came: ['/admin'] }] } },
      },
    });
    expect(JSON.stringify(record)).not.toContain('password');
  });

  test('whom no ALLOW lets in is told what the nearest rule missed by, and what was not recorded', async () => {
    const missed = await printed({ method: 'POST', path: '/orders/1' });
    expect(missed).toMatch(/^Denied at \S+, as the proxy of files\/shop\/orders told:\n/);
    expect(missed).toContain('refused, for no rule of an ALLOW policy matched');
    expect(missed).toContain('The policies for it are the same as then.');
    expect(missed).toMatch(/AuthorizationPolicy shop\/secret-door .*missed by one field:/);
    expect(missed).toContain('x methods                    wants GET, came POST');
    const id = await denied({ path: '/orders/1', headers: { 'x-client': 'v1' } });
    const { text: open } = await explainDenial(id, options(), readCandidates([]));
    expect(open).toContain('request.headers[x-client]: --header');
    expect(open).toContain('it missed by what was not recorded');
    const said = { ...options(), header: [['x-client', 'v1']] as const };
    const { text: settled } = await explainDenial(id, said, readCandidates([]));
    expect(settled).toContain('x request.headers[x-client]  wants v2, came v1');
  });

  test('is tried under a fix, which is no word against its proxy', async () => {
    const id = await denied({ path: '/admin' });
    const fix = join(mesh.server.directory, 'fix.yaml');
    const open = policies.replace('/admin*', '/nothing').replace('/orders/*', '/*');
    await writeFile(fix, open.replace(/^ +when: .*\n/m, ''));
    const said = { ...options(), complete: true };
    const { text } = await explainDenial(id, said, readCandidates([fix]));
    expect(text).toContain(
      `The policies for it are the same as then. With those of ${fix} in the place of theirs, and what was recorded:\n\nALLOWED`,
    );
    expect(text).toContain('note: the query of the request is not known');
    const remove = ['AuthorizationPolicy/shop/secret-plan'];
    const left = await explainDenial(id, said, readCandidates([], { remove }));
    expect(left.text).toContain(`With ${remove[0]} taken away, and what was recorded:\n\nDENIED`);
    expect(left.text).not.toContain('secret-plan (');
  });

  test('in plaintext, over gRPC, is known by nothing but its address', async () => {
    const grpc = { 'content-type': 'application/grpc', te: 'trailers' };
    expect(await ask({ from: port, method: 'POST', path: '/orders/1', headers: grpc })).toMatchObject({
      status: 200,
      headers: { 'grpc-status': '7' },
    });
    const { record } = await explain({ from: port, method: 'POST', path: '/orders/1', headers: grpc });
    expect(record).toMatchObject({
      denial: { transport: 'plaintext', callerId: '', callerAddress: '127.0.0.1', step: 'ALLOW' },
      explanation: {
        verdict: 'deny',
        policies: { near: [{ fields: [{ name: 'principals', outcome: 'misses', came: [] }, {}, {}, {}] }] },
      },
    });
  });

  test('of a connection is found by its callee, under a name that it was never given', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(tcp, '127.0.0.1', () => socket.write('well'));
      socket.once('error', () => resolve()).once('close', () => resolve());
    });
    const { socket } = options();
    const listed = () =>
      runCitadel(
        ['policy', 'denials', '--to', 'shop/orders', '--from', 'plaintext', '-o', 'json', '--socket', socket],
        { directory: mesh.server.directory, home: 'home' },
      );
    const row = await waitFor(
      async () => {
        const { code, stdout } = await listed();
        expect(code).toBe(0);
        const rows: readonly { id: string; port: number }[] = JSON.parse(stdout);
        return rows.find((each) => each.port === tcp);
      },
      { what: 'the denied connection to be told of' },
    );
    const { record, text } = await explainDenial(row.id, options(), readCandidates([]));
    expect(record).toMatchObject({
      denial: {
        transport: 'plaintext',
        callerId: '',
        callerAddress: '127.0.0.1',
        method: '',
        step: 'CUSTOM',
      },
      // Of what comes before AuthorizationPolicies that allow and deny a proxy does not tell.
      rulesSince: 'unknown',
      explanation: { verdict: 'deny' },
    });
    expect(text).toContain(`somebody in plaintext at 127.0.0.1 called port ${tcp}\n`);
    expect(text).not.toContain('not recorded');
  });

  test('by an authorizer, and for a bad token, is told who refused', async () => {
    const [guarded, token] = await Promise.all([
      explain({ path: '/guarded' }),
      explain({ path: '/orders/1', headers: { authorization: 'Bearer eyJhbGciOiJFUzI1NiJ9.e30.AAAA' } }),
    ]);
    expect(guarded.record).toMatchObject({
      denial: { step: 'CUSTOM', policy: 'shop/secret-guard', reason: 'ext_authz_denied' },
      explanation: { verdict: 'deny', policies: { step: 'CUSTOM' } },
    });
    expect(token.record).toMatchObject({
      denial: { step: 'token', reason: expect.stringMatching(/^jwt_authn_access_denied/) },
      rulesSince: 'unknown',
    });
  });
});
