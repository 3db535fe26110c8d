import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCitadel } from '../support/citadel.ts';
import { documentedSection } from '../support/documented.ts';
import { ordersAndWeb } from '../support/registry.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const policies = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web-reads, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - from:
        - source: { principals: ["example.org/ns/shop/sa/web"] }
      to:
        - operation: { methods: ["GET"], paths: ["/orders/*"] }
`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer((directory) => {
    const registry = join(directory, 'registry');
    mkdirSync(registry);
    writeFileSync(join(registry, 'shop.yaml'), ordersAndWeb(9000, { port: 8080, web: 8081 }));
    writeFileSync(join(registry, 'policies.yaml'), policies);
    return { mesh: { sources: { files: { directory: registry } } } };
  });
});
afterAll(() => server.stop());

const offline = ['--registry', 'registry', '--trust-domain', 'example.org'];
const call = ['--from', 'shop/web', '--to', 'shop/orders', '--path', '/orders/42'];
const explain = (...args: readonly string[]) =>
  runCitadel(['policy', 'explain', ...args], { directory: server.directory, home: 'home' });

/** Those of a denial are run with the other examples of the manual. */
const needsProxies = (line: string) => /--denial|policy denials/.test(line);

describe('docs/policies.md, why was this call denied', () => {
  const { files, commands } = documentedSection('Why was this call denied?');

  it('has the examples that this file runs', () => {
    expect(files.map(({ name }) => name)).toEqual(['policies.yaml']);
    expect(commands.map(({ line }) => needsProxies(line))).toEqual([false, false, true, true]);
  });

  it.each(commands.filter(({ line }) => !needsProxies(line)))('$line', async ({ line, printed }) => {
    for (const { name, text } of files) writeFileSync(join(server.directory, name), text);
    const [, , ...args] = line.split(' ');
    const { code, stdout } = await explain(...args, ...offline);
    expect(stdout).toBe(printed);
    expect(code).toBe(line.includes('--expect') ? 1 : 0);
  });
});

describe('citadel policy explain', () => {
  it('asks a running server, and says the same', async () => {
    const live = ['--socket', join(server.directory, 'operator.sock')];
    const { code, stdout } = await explain(...call, '--method', 'POST', ...live, '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'deny',
      decidedBy: 'policies',
      transport: { kind: 'mtls', mode: 'PERMISSIVE' },
      policies: {
        step: 'ALLOW',
        near: [
          {
            policy: { namespace: 'shop', name: 'web-reads', source: 'policies.yaml:1' },
            fields: [{}, { name: 'methods', outcome: 'misses', wanted: ['GET'], came: ['POST'] }, {}],
          },
        ],
      },
    });
  });

  it('judges as if policies were gone', async () => {
    const gone = ['--remove', 'AuthorizationPolicy/shop/web-reads'];
    const { stdout } = await explain(...gone, ...call, '--method', 'POST', ...offline);
    expect(stdout).toMatch(/^ALLOWED .*\n {2}No ALLOW policy holds/);
    const unknown = await explain('--remove', 'orders.yaml', ...call, ...offline);
    expect(unknown).toMatchObject({ code: 64, stderr: expect.stringContaining('names no policy') });
  });

  it('judges by policies of files, in the place of those of their names', async () => {
    const file = join(server.directory, 'candidate.yaml');
    writeFileSync(file, policies.replace('"GET"', '"GET", "POST"'));
    const { code, stdout } = await explain(
      file,
      ...call,
      '--method',
      'POST',
      ...offline,
      '--expect',
      'allowed',
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`${file}:10:41 spec.rules[0].to[0].operation.methods[1]`);
  });

  it('refuses what it cannot answer, and says why', async () => {
    const broken = join(server.directory, 'broken.yaml');
    writeFileSync(broken, policies.replace('paths', 'path'));
    const [nobody, refused, odd] = await Promise.all([
      explain('--from', 'shop/web', '--to', 'shop/nobody', ...offline),
      explain(broken, ...call, ...offline),
      explain(...call, ...offline, '--jwt', '{"sub":"secret'),
    ]);
    expect(nobody).toMatchObject({ code: 66, stdout: '' });
    expect(nobody.stderr).toContain('there is no workload and no service shop/nobody');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('did you mean paths?');
    expect(odd).toMatchObject({ code: 2, stdout: '' });
    expect(odd.stderr).not.toContain('secret');
  });
});
