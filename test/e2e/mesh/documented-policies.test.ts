import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { documentedSection } from '../../support/documented.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';
import { type DocumentedCall, documentedExamples } from './documented.ts';

const examples = documentedExamples();
const callers = ['web', 'cron'] as const;
const { key } = z
  .object({ key: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'vectors/documented-token-key.json'), 'utf8')));

describe.skipIf(!hasPart('envoy'))('docs/policy-language.md, and what is explained by name', () => {
  const stack = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  let mesh: TestMesh;

  beforeAll(async () => {
    const application = stack.use(await startApplication('orders'));
    for (const name of ['plaintext', ...callers]) ports.set(name, await freePort());
    const { plaintext: port = 0, ...listens } = Object.fromEntries(ports);
    const text = registryText(
      [
        { name: 'orders', ports: [{ port, application: application.port }] },
        ...callersOf('orders', 80, listens),
      ],
      [{ name: 'orders', ports: [{ port: 80, targetPort: port }] }],
    );
    mesh = stack.use(await startTestMesh({ registry: { 'shop.yaml': text } }));
    await Promise.all(
      ['orders', ...callers].map((name) => mesh.startWorkload(name, name, { args: ['--drain-time-s', '1'] })),
    );
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  async function outcome({ caller, method, path, headers, token }: DocumentedCall): Promise<string> {
    const authorization = token && `Bearer ${await sign(token)}`;
    const status = await new Promise<number>((resolve) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: ports.get(caller),
          method,
          path,
          agent: false,
          headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      sent.once('error', () => resolve(0));
      sent.end();
    });
    return { 200: 'allowed', 403: 'denied', 401: 'unauthorized', 0: 'refused' }[status] ?? String(status);
  }

  test('has the examples that this file runs', () => {
    expect(examples.length).toBeGreaterThanOrEqual(8);
    expect(examples.flatMap(({ calls }) => calls).length).toBeGreaterThanOrEqual(33);
  });

  for (const [index, { title, yaml, calls }] of examples.entries()) {
    test(`${title}, example ${index + 1}`, async () => {
      await mesh.write('policies.yaml', yaml);
      expect(mesh.server.app.controlPlane?.sources().flatMap(({ rejected }) => rejected)).toEqual([]);
      await Promise.all(
        calls.map((call) =>
          waitFor(async () => (await outcome(call)) === call.expected, { deadline: 10_000, what: call.line }),
        ),
      );
      // All of them together, now that each has been so.
      const seen = await Promise.all(calls.map(async (call) => `${call.line} -> ${await outcome(call)}`));
      expect(seen).toEqual(calls.map((call) => `${call.line} -> ${call.expected}`));
    });
  }

  test('Why was this call denied?, by its name', async () => {
    const { files, commands } = documentedSection('Why was this call denied?');
    const { line = '', printed = '' } = commands.find((each) => each.line.includes('--denial')) ?? {};
    for (const { name, text } of files) await mesh.write(name, text);
    const call = { line, caller: 'web', method: 'POST', path: '/orders/42', headers: {}, token: undefined };
    await waitFor(async () => (await outcome({ ...call, expected: '' })) === 'denied', {
      what: 'the denial',
    });
    const { headers } = await exchange(`http://127.0.0.1:${ports.get('web')}/orders/42`, {
      method: 'POST',
      headers: { host: 'orders.shop' },
    });
    const [id] = [headers['x-citadel-denial']].flat();
    const run = (...args: readonly string[]) =>
      runCitadel([...args, '--socket', join(mesh.server.directory, 'operator.sock')], {
        directory: mesh.server.directory,
        home: 'home',
      });
    const { stdout, stderr } = await run(...line.replace(/[0-9a-f-]{36}/, id ?? '').split(' '));
    expect({ stdout: plain(stdout), stderr }).toEqual({ stdout: plain(printed), stderr: '' });

    const listing =
      commands.find((each) => each.line.startsWith('policy denials')) ?? expect.fail('no listing');
    const { stdout: listed } = await run(...listing.line.split(' '));
    expect(listed).toContain(id);
    // The newest stands first; how wide a column is hangs on all of them.
    const firstTwo = (text: string) => plain(text).replaceAll(/ {2,}/g, '  ').split('\n').slice(0, 2);
    expect(firstTwo(listed)).toEqual(firstTwo(listing.printed));
  });
});

/** What differs from one run to the next. */
function plain(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/(orders:|port )\d+/g, '$1PORT')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'NAME');
}

async function sign(claims: Readonly<Record<string, unknown>>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: 'https://accounts.example',
    sub: 'ann',
    aud: 'orders',
    iat: now,
    exp: now + 600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'example' })
    .sign(await importJWK({ ...key, kty: 'EC' }, 'ES256'));
}
