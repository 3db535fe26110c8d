import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApplyPoliciesResponse, OperatorServiceClient } from '../../../src/gen/citadel/v1/operator.ts';
import { waitFor } from '../../parts/index.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { newRequest } from '../../support/server.ts';

const registry = `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec: {serviceAccount: orders, addresses: [127.0.0.1], ports: [{port: 8080}]}
`;
const policy = (name: string, spec: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ${name}}
spec: ${spec}
`;
const values = (count: number, length: number) =>
  JSON.stringify(Array.from({ length: count }, (_, n) => String(n).padEnd(length, 'x')));
const hosts = (list: string) => `{action: DENY, rules: [{to: [{operation: {hosts: ${list}}}]}]}`;

describe('an author who writes too much', () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await startTestMesh({
      registry: { 'shop.yaml': registry },
      settings: { limits: { messageBytes: 4_194_304 } },
    });
  });
  afterAll(() => mesh?.[Symbol.asyncDispose]());

  const apply = async (text: string): Promise<ApplyPoliciesResponse | ServiceError> => {
    const client = new OperatorServiceClient(
      `unix:${mesh.server.directory}/operator.sock`,
      credentials.createInsecure(),
    );
    try {
      return await new Promise((resolve) =>
        client.applyPolicies(
          {
            texts: [{ source: 'abuse.yaml', text }],
            remove: [],
            restore: undefined,
            shadow: false,
            dryRun: true,
            expectedRevision: 0n,
            reason: '',
          },
          (error, response) => resolve(error ?? response),
        ),
      );
    } finally {
      client.close();
    }
  };
  /** Milliseconds in which somebody else is issued a certificate. */
  const issued = async () => {
    const { csr } = await newRequest();
    const begin = performance.now();
    const token = (await mesh.server.token()).reveal();
    const { certChain } = await mesh.server.create({ csr, validityDuration: 600n }, { token });
    expect(certChain.length).toBeGreaterThan(1);
    return performance.now() - begin;
  };
  const held = () => mesh.server.app.controlPlane?.snapshot()?.policies.length;

  it.each([
    {
      what: 'a policy of more than 1 MiB',
      text: policy('large', hosts(values(4_000, 300))),
      reason: /a document larger than 1048576 bytes/,
    },
    {
      what: 'one that grows in the proxy',
      text: policy('grows', `{rules: [{from: [{source: {requestPrincipals: ["${'/'.repeat(4_000)}"]}}]}]}`),
      reason: /would take some \d+ bytes in a proxy, of 4194304 at most/,
    },
    {
      what: 'a template that Envoy refuses',
      text: policy('template', `{rules: [{to: [{operation: {paths: ["/{*}${'/a'.repeat(100)}"]}}]}]}`),
      reason: /is too long for a template/,
    },
    {
      what: 'modes of more ports than a proxy has chains for',
      text: `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: ports}
spec:
  selector: {matchLabels: {app: orders}}
  portLevelMtls: {${Array.from({ length: 3_000 }, (_, n) => `"${n + 1}": {mode: STRICT}`).join()}}
`,
      reason: /must not hold more than 64 ports/,
    },
    {
      what: 'aliases that unfold without an end',
      text: `a: &a [x, x]\n${Array.from({ length: 30 }, (_, n) => `b${n}: &b${n} [*${n === 0 ? 'a' : `b${n - 1}`}, *${n === 0 ? 'a' : `b${n - 1}`}]`).join('\n')}\n`,
      reason: /not valid YAML: .*alias/i,
    },
  ])('$what is refused with a reason, as a file too, and others are served', async ({ text, reason }) => {
    const answer = await apply(text);
    expect(JSON.stringify('problems' in answer ? answer.problems : answer)).toMatch(reason);
    const good = policy('good', '{action: DENY, rules: [{to: [{operation: {paths: [/a]}}]}]}');
    await mesh.write('abuse.yaml', `${good}---\n${text}`);
    await waitFor(
      () =>
        mesh.server.app.controlPlane
          ?.sources()
          .some(({ rejected }) => rejected.some((each) => reason.test(each.reason))),
      { what: 'the file to be rejected' },
    );
    await waitFor(() => held() === 1, { what: 'the good one beside it' });
    await issued();
    await mesh.write('abuse.yaml', '');
    await waitFor(() => held() === 0, { what: 'its end' });
  });

  it('a request above the listener’s size is refused there', async () => {
    const answer = await apply(policy('huge', hosts(values(4_000, 2_000))));
    expect('code' in answer && answer.code).toBe(status.RESOURCE_EXHAUSTED);
    await issued();
  });

  it('ten thousand policies are taken, and others are served meanwhile', async () => {
    const files = 50;
    const perFile = 200;
    const of = (file: number) =>
      Array.from({ length: perFile }, (_, n) =>
        policy(`p${file}-${n}`, `{action: DENY, rules: [{to: [{operation: {paths: [/${file}/${n}]}}]}]}`),
      ).join('---\n');
    await Promise.all(Array.from({ length: files }, (_, n) => mesh.write(`many-${n}.yaml`, of(n))));
    const waits: number[] = [];
    await waitFor(
      async () => {
        waits.push(await issued());
        return held() === files * perFile;
      },
      { what: 'all policies', deadline: 90_000 },
    );
    expect(Math.max(...waits)).toBeLessThan(15_000);
    await issued();
    await Promise.all(Array.from({ length: files }, (_, n) => mesh.write(`many-${n}.yaml`, '')));
    await waitFor(() => held() === 0, { what: 'their end', deadline: 60_000 });
  }, 200_000);
});
