import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { vi } from 'vitest';
import { runProgram } from '../../../src/cli/run-program.ts';
import { toPem } from '../../../src/pki/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';
import type { Outcome } from '../../support/citadel.ts';
import { newRoot } from '../../support/company-authority.ts';
import { registryText } from '../../support/registry.ts';

const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: orders, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - to: [{ operation: { methods: ["GET"] } }]
`;
const policyTest = `apiVersion: citadel.dev/v1
kind: PolicyTest
metadata: { name: orders, namespace: shop }
spec:
  policies: [good.yaml]
  workloads: [{ name: orders }]
  cases: [{ name: reads, from: web, to: orders, method: GET, path: /, expect: allowed }]
`;
const contents: Readonly<Record<string, string | Uint8Array>> = {
  'good.yaml': policy,
  'test.yaml': policyTest,
  'empty.yaml': '',
  'bad.yaml': 'a: [',
  'text.yaml': 'hello\n',
  'binary.yaml': Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 1, 0xff, 0xfe),
  'deployment.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\nspec: {}\n',
  'huge.yaml': `# ${'x'.repeat(1024 * 1024)}\n`,
  'lines.txt': 'no record\n'.repeat(100_000),
  'nothing/README.md': 'hello\n',
  'nobody/README.md': 'hello\n',
  'registry/shop.yaml': registryText([{ name: 'orders', ports: [{ port: 8080, application: 9080 }] }]),
};

/** Words of options, for every table: where somebody is registered, and where no server is. */
export const registry = '--registry @registry';
export const call = `--from shop/web --to shop/orders ${registry}`;
export const away = '--socket @nobody.sock';

/** What authors have lying about: files that are good, and files that are none. */
export async function wrongFiles(): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory('wrong-inputs');
  const root = await newRoot();
  for (const [name, content] of Object.entries({
    ...contents,
    'roots.pem': toPem(root.certificate),
    token: 'x',
  })) {
    mkdirSync(dirname(directory.join(name)), { recursive: true });
    writeFileSync(directory.join(name), content);
  }
  return directory;
}

/**
 * Runs `citadel policy` in this process, which is a hundred times as quick as in one of its own.
 * @param line words with a space between them, or each by itself; `@name` is a file of the directory
 */
export async function runPolicy(
  line: string | readonly string[],
  directory: TemporaryDirectory,
): Promise<Outcome> {
  const words = (typeof line === 'string' ? line.split(' ') : line).map((word) =>
    word.replace(/^@/, () => `${directory.path}/`),
  );
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      said[stream] += String(chunk);
      return true;
    });
  for (const name of ['CITADEL_SERVER', 'CITADEL_SOCKET', 'CITADEL_TOKEN_FILE']) vi.stubEnv(name, undefined);
  vi.stubEnv('CITADEL_HOME', directory.join('home'));
  try {
    return { code: await runProgram(['policy', ...words]), ...said };
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
}
