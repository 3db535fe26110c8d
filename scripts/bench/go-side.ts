import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { toPem } from '../../src/pki/index.ts';
import type { Fixture } from './fixture.ts';
import type { Side } from './measure.ts';

const resultSchema = z.object({ issued: z.number(), cpuSeconds: z.number(), certificate: z.base64() });

/** The same certificate made by Go's crypto/x509 in a process of its own; undefined where there is no Go. */
export function goSide(fixture: Fixture): Side | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'citadel-bench-'));
  const file = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const binary = join(directory, 'go-signer');
  try {
    execFileSync('go', ['build', '-o', binary, '.'], {
      cwd: join(import.meta.dirname, 'go-signer'),
      stdio: 'pipe',
    });
  } catch (error) {
    rmSync(directory, { recursive: true });
    console.error(`no Go signer: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const key = fixture.issuingKey.export({ type: 'pkcs8', format: 'der' });
  const child = spawn(
    binary,
    [
      file('issuer.pem', toPem(fixture.issuing)),
      file('key.pem', toPem(key, 'PRIVATE KEY')),
      file('request.pem', fixture.requestPem),
      fixture.spiffeId,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const issuer = new X509Certificate(fixture.issuing);
  return {
    name: 'Go crypto/x509',
    async run(seconds) {
      child.stdin.write(`${seconds}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error('the Go signer ended');
      const result = resultSchema.parse(JSON.parse(value));
      const last = new X509Certificate(Buffer.from(result.certificate, 'base64'));
      if (!last.verify(issuer.publicKey)) throw new Error("the Go signer's certificate does not verify");
      return result;
    },
    close() {
      child.stdin.end();
      rmSync(directory, { recursive: true });
    },
  };
}
