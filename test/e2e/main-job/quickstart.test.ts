import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hasPart, type PartName, temporaryDirectory } from '../../parts/index.ts';
import { runDemo, startDemo } from './program.ts';
import { documentedWalk, walk } from './walk.ts';

const deadline = 110_000;

const conclusion = 'mTLS: spiffe://demo.example/ns/shop/sa/web -> spiffe://demo.example/ns/shop/sa/orders';

/** Those that show it and end; how it is on its own is shown by the one that is worked with. */
const forms: readonly (readonly [form: string, flags: readonly string[], parts: readonly PartName[]])[] = [
  ['--once --vault', ['--vault'], ['envoy', 'openbao']],
  ['--once --kubernetes', ['--kubernetes'], ['envoy', 'kubeapi']],
];

/** The lines of one numbered step, its title included. */
function step(stdout: string, number: number): string {
  const found = stdout.split(/\n(?=\d\. |Next)/).find((part) => part.trimStart().startsWith(`${number}. `));
  return found ?? expect.fail(`there is no step ${number} in\n${stdout}`);
}

/** What a listener on the wire reads. */
const wire = (text: string) => text.split('\n').filter((line) => line.startsWith('   wire |'));

function expectEachStep(stdout: string): void {
  const plaintext = step(stdout, 3);
  expect(plaintext).toContain('200 order 42: 3 apples');
  expect(wire(plaintext)[0]).toContain('GET /orders/42 HTTP/1.1');

  const mutual = step(stdout, 4);
  expect(mutual).toContain('200 order 42: 3 apples');
  // A TLS record of the type handshake, in it nothing of the call.
  expect(wire(mutual)[0]).toMatch(/^ {3}wire \| 16 03 0[1-3] /);
  for (const line of wire(mutual)) expect(line).not.toMatch(/orders|GET|HTTP/);
  expect(mutual).toMatch(/client {2}spiffe:\/\/demo\.example\/ns\/shop\/sa\/web$/m);
  expect(mutual).toMatch(/server {2}spiffe:\/\/demo\.example\/ns\/shop\/sa\/orders$/m);
  expect(mutual).toMatch(/TLS {5}TLSv1\.3 /);

  const rotation = step(stdout, 5);
  const [, before] = /serial was ([0-9a-f]{30,32})$/m.exec(rotation) ?? [];
  const [, after] = /serial is {2}([0-9a-f]{30,32}), until /m.exec(rotation) ?? [];
  expect(before).toBeDefined();
  expect(after).toBeDefined();
  expect(after).not.toBe(before);
  expect(mutual).toContain(`serial ${before},`);

  const [open, policed, strict] = [step(stdout, 7), step(stdout, 8), step(stdout, 9)];
  expect(open).toMatch(
    /by mutual TLS +GET \/orders\/42 +200\n +GET \/admin +200\n +a caller in plaintext +GET \/orders\/42 +200/,
  );
  expect(policed).toMatch(/by mutual TLS +GET \/orders\/42 +200\n +GET \/admin +403/);
  expect(strict).toMatch(
    /by mutual TLS +GET \/orders\/42 +200\n +a caller in plaintext +GET \/orders\/42 +refused/,
  );
  expect(strict).toMatch(/AuthorizationPolicy\/shop\/orders .* 1 current$/m);
}

// Most of the time each waits, for programs to start and certificates to be renewed.
describe.concurrent('scripts/quickstart', () => {
  for (const [form, flags, parts] of forms) {
    const available = parts.map((part) => hasPart(part)).every(Boolean);
    it.skipIf(!available)(
      form,
      async () => {
        const ended = await runDemo('quickstart.ts', ['--once', ...flags], deadline);
        expect(ended, `${ended.stdout}\n${ended.stderr}`).toMatchObject({ code: 0, stderr: '' });
        expect(ended.lastLine).toBe(conclusion);
        expectEachStep(ended.stdout);
      },
      deadline + 10_000,
    );
  }

  it.skipIf(!hasPart('envoy'))(
    'stays up, and on its mesh an author goes the way of docs/policies.md',
    async () => {
      const steps = documentedWalk();
      expect(steps.length).toBeGreaterThan(15);
      await using child = await startDemo('quickstart.ts', ['--stay'], /Everything stays up/);
      const stdout = child.stdout();
      expectEachStep(stdout);
      const [, environment = ''] = /source (\S+)/.exec(stdout) ?? [];
      await using directory = await temporaryDirectory('author');
      await walk(steps, { environment, directory: directory.path });
      child.kill('SIGINT');
      expect(await child.exited).toMatchObject({ code: 0 });
      expect(child.stdout().trimEnd().split('\n').at(-1)).toBe(conclusion);
    },
    deadline * 2,
  );
});

describe('scripts/quickstart that is interrupted', () => {
  it.skipIf(!hasPart('envoy'))(
    'ends soon, and leaves nothing',
    async () => {
      await using child = await startDemo('quickstart.ts', ['--once'], /5\. Certificates rotate/);
      const [, directory = ''] = /data in (\S+)/.exec(child.stdout()) ?? [];
      expect(existsSync(directory)).toBe(true);
      // Each process that it starts names a file of that directory; a terminal's Ctrl-C reaches them too.
      for (const pid of await processesOf(directory)) process.kill(pid, 'SIGINT');
      child.kill('SIGINT');
      const interrupted = performance.now();
      expect(await child.exited).toMatchObject({ code: 130 });
      // What it waits for at this place, it waits for up to a minute.
      expect(performance.now() - interrupted).toBeLessThan(30_000);
      expect(child.stderr()).toBe('quickstart: interrupted; everything that it started is gone');
      expect(existsSync(directory)).toBe(false);
      expect(await processesOf(directory)).toEqual([]);
    },
    deadline,
  );
});

async function processesOf(directory: string): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,args=']);
  return stdout
    .split('\n')
    .filter((line) => line.includes(directory))
    .map((line) => Number.parseInt(line, 10));
}
