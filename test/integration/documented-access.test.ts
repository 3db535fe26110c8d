import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { registryText } from '../support/registry.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/policies.md'), 'utf8');
const [section = ''] = /^## Who may reach what$[\s\S]*?(?=^## )/m.exec(text) ?? [];
const [, file = '', policies = ''] = /^```yaml (\S+)\n([\s\S]*?)^```/m.exec(section) ?? [];
const commands = [...section.matchAll(/^```console\n\$ citadel (.*)\n([\s\S]*?)^```/gm)];
const offline = '--registry registry --trust-domain example.org --authorization-provider authz';

describe('docs/policies.md, who may reach what', () => {
  let directory: TemporaryDirectory;
  const citadel = (line: string) => runCitadel(line.split(' '), { directory: directory.path, home: 'home' });
  beforeAll(async () => {
    directory = await temporaryDirectory('documented-access');
    mkdirSync(directory.join('registry'));
    const workloads = [
      { name: 'orders', ports: [{ port: 8080, application: 9080 }] },
      { name: 'health', ports: [{ port: 8081, application: 9081 }] },
      { name: 'web' },
    ];
    writeFileSync(directory.join('registry/shop.yaml'), registryText(workloads));
    writeFileSync(directory.join(file), policies);
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  it('has the examples that this file runs', () => {
    expect(file).toBe('registry/policies.yaml');
    expect(commands.map(([, line = '']) => line.split(' ')[1])).toEqual(['who', 'what', 'what', 'who']);
  });

  it.each(commands.map(([, line = '', printed = '']) => [line, printed]))('%s', async (line, printed) => {
    const { stdout, stderr, code } = await citadel(line);
    expect({ stdout, stderr, code }).toEqual({ stdout: printed, stderr: '', code: 0 });
  });

  it('tells the same in parts, each with a request that is let in', async () => {
    const { stdout, code } = await citadel(`policy who --to shop/orders:8080 ${offline} -o json`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        workloads: ['files/shop/orders'],
        port: 8080,
        enforced: true,
        complete: true,
        access: expect.arrayContaining([
          expect.objectContaining({
            callers: 'example.org/ns/shop/sa/web',
            methods: 'GET',
            paths: '/orders/paid',
            conditions: ['if provider authz agrees'],
            example: expect.objectContaining({ providers: { authz: 'allow' } }),
          }),
        ]),
      },
    ]);
  });

  it('draws it', async () => {
    const dot = await citadel(`policy who --to shop/orders ${offline} --graph dot`);
    expect(dot.stdout).toMatch(
      /^digraph access \{\n[\s\S]*"example\.org\/ns\/shop\/sa\/web" -> "files\/shop\/orders:8080"/,
    );
    const svg = await citadel(`policy what --from shop/web ${offline} --graph svg`);
    expect(svg.stdout).toMatch(/^<svg [\s\S]*files\/shop\/orders:8080[\s\S]*<\/svg>\n$/);
  });

  it('takes policies of files in the place of those of their names', async () => {
    const draft = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { namespace: 'shop', name: 'nobody' },
      spec: { action: 'DENY', rules: [{}] },
    };
    writeFileSync(directory.join('draft.json'), JSON.stringify(draft));
    const { stdout } = await citadel(`policy who --to shop/orders ${offline} draft.json`);
    expect(stdout).toMatch(/^files\/shop\/orders:8080 +nobody/m);
    const what = await citadel(`policy what --from shop/web ${offline} draft.json`);
    expect(what.stdout).toBe('Nothing is open to spiffe://example.org/ns/shop/sa/web.\n');
  });

  it('takes policies away', async () => {
    const without = '--remove AuthorizationPolicy/shop/orders';
    const { stdout } = await citadel(`policy who ${without} --to shop/orders ${offline}`);
    expect(stdout).toMatch(/^files\/shop\/orders:8080 +any identity +any +any but not \/orders\/paid +-$/m);
    const what = await citadel(`policy what ${without} --from shop/nobody ${offline}`);
    expect(what.stdout).toMatch(/^files\/shop\/orders:8080 +any +any but not \/orders\/paid +-$/m);
    const missing = await citadel(
      `policy who --remove AuthorizationPolicy/shop/no --to shop/orders ${offline}`,
    );
    expect(missing).toMatchObject({ code: 66, stdout: '', stderr: expect.stringContaining('does not hold') });
  });

  it('says whom there is not', async () => {
    expect(await citadel(`policy what --from shop/wbe ${offline}`)).toMatchObject({
      code: 0,
      stderr:
        'note: no workload here is spiffe://example.org/ns/shop/sa/wbe: told is what its certificate would open\n',
    });
    expect(await citadel(`policy who --to shop/nobody ${offline}`)).toMatchObject({ code: 66 });
    expect(await citadel(`policy what --from /x/ ${offline}`)).toMatchObject({ code: 64 });
  });
});
