import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyAlgorithm } from '../../../src/pki/index.ts';

/** Whether the machine's openssl knows the algorithm: ML-DSA came with 3.5. */
export function opensslKnows(algorithm: KeyAlgorithm): boolean {
  return algorithm !== 'ml-dsa-65' || openssl({}, 'list', '-signature-algorithms').includes('ML-DSA-65');
}

/** Runs the machine's openssl on files made for it; `@name` in an argument stands for the file of that name. */
export function openssl(
  files: Readonly<Record<string, string | Uint8Array>>,
  ...args: readonly string[]
): string {
  const directory = mkdtempSync(join(tmpdir(), 'citadel-test-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    const resolved = args.map((arg) => (arg.startsWith('@') ? join(directory, arg.slice(1)) : arg));
    return execFileSync('openssl', resolved, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
