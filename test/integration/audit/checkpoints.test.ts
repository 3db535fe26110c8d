import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/index.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { type TemporaryDirectory, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { newRequest, startTestServer, type TestServer, writeServerConfig } from '../../support/server.ts';

/** A server whose record is sworn to in a file beside its data directory. */
let parent: TemporaryDirectory;
let data: string;
let checkpoints: string;

beforeEach(async () => {
  parent = await temporaryDirectory('audit');
  data = parent.join('data');
  checkpoints = parent.join('checkpoints');
  await mkdir(data, { mode: 0o700 });
  await writeFile(parent.join('key'), randomBytes(32), { mode: 0o600 });
});
afterEach(() => parent[Symbol.asyncDispose]());

const settings = (more: object = {}) => ({
  keys: { disk: { encryption: { keyFile: parent.join('key') } } },
  audit: { checkpoints: { interval: '1s', file: { path: checkpoints }, ...more } },
});

const start = (more: object = {}): Promise<TestServer> =>
  startTestServer(settings(more), {
    directory: data,
    metrics: createMetrics(systemClock, { process: false }),
  });

async function issueTo(server: TestServer): Promise<void> {
  const { csr } = await newRequest();
  await server.create({ csr }, { token: (await server.token()).reveal() });
}

async function issueAndStop(server: TestServer, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await issueTo(server);
  await server.stop();
}

const sizes = async () =>
  [...(await readFile(checkpoints, 'utf8')).matchAll(/^example\.org\/audit\/[0-9a-f]{16}\n(\d+)\n/gm)].map(
    ([, size]) => Number(size),
  );

function change(statement: string): void {
  const database = new Database(join(data, 'citadel.db'));
  try {
    database.exec(statement);
  } finally {
    database.close();
  }
}

describe('checkpoints of the audit record', () => {
  test('are written while the server runs and when it ends, and only grow', async () => {
    const server = await start();
    await issueTo(server);
    await waitFor(async () => (await sizes()).length > 0, { what: 'a checkpoint' });
    await issueAndStop(server, 2);
    const written = await sizes();
    expect(written.at(-1)).toBe((await lastSequence()) ?? 0);
    expect(written.toSorted((a, b) => a - b)).toEqual(written);
    await issueAndStop(await start(), 1);
    expect((await sizes()).at(-1)).toBe(await lastSequence());
  });

  test('refuse a start with an older store, and leave that store as it is', async () => {
    await issueAndStop(await start(), 1);
    await copyFile(join(data, 'citadel.db'), parent.join('backup'));
    await issueAndStop(await start(), 2);
    await rename(join(data, 'citadel.db'), parent.join('newer'));
    await copyFile(parent.join('backup'), join(data, 'citadel.db'));
    const before = await lastSequence();
    await expect(start()).rejects.toThrow(/disagrees.*\(file\).*an older store is in its place.*log accept/s);
    expect(await lastSequence()).toBe(before);
    await rename(parent.join('newer'), join(data, 'citadel.db'));
    await (await start()).stop();
  });

  test.each([
    ['an entry that was changed with all hashes made anew', "update audit set reason = 'x', hashes = null"],
    ['other hashes throughout', 'update audit set hashes = randomblob(length(hashes))'],
    ['another end', 'delete from audit where sequence = (select max(sequence) from audit)'],
  ])('refuse a start with %s', async (_what, statement) => {
    await issueAndStop(await start(), 3);
    change(statement);
    await expect(start()).rejects.toMatchObject({ code: 'FailedPrecondition' });
  });

  test('refuse a start after those of another server, or of another key', async () => {
    await issueAndStop(await start(), 1);
    const ours = await readFile(checkpoints, 'utf8');
    await rm(join(data, 'server-id'));
    await expect(start()).rejects.toThrow(
      /it names the log example.org\/audit\/[0-9a-f]{16}, and this one is/,
    );
    await writeFile(checkpoints, ours.replace(/^time 2/m, 'time 3'));
    await expect(start()).rejects.toMatchObject({ code: 'FailedPrecondition' });
  });

  test('refuse a start where they are gone, until that is accepted; on a new place they begin', async () => {
    await issueAndStop(await start(), 1);
    expect((await sizes()).at(-1)).toBe(await lastSequence());
    await rename(checkpoints, parent.join('taken-away'));
    await expect(start()).rejects.toThrow(
      /\(file\): it has kept checkpoints .*Give the place back.*log accept/s,
    );
    // As with a store from before, which nothing would show any more.
    await rename(parent.join('taken-away'), checkpoints);
    await issueAndStop(await start(), 1);
    await writeFile(checkpoints, '');
    await expect(start()).rejects.toMatchObject({ code: 'FailedPrecondition' });
    const config = await writeServerConfig(data, settings());
    const accept = (...more: readonly string[]) =>
      runCitadel(['log', 'accept', '--config', config, '--yes', '--reason', 'that disk burnt', ...more], {
        directory: parent.path,
        home: 'nobody',
      });
    const refused = await accept();
    expect([refused.code, refused.stderr]).toStrictEqual([2, expect.stringContaining('--revocations-lost')]);
    expect(await accept('--revocations-lost')).toMatchObject({ code: 0 });
    expect(await sizes()).toHaveLength(1);
    const server = await start();
    const metrics = async () =>
      (await fetch(`http://127.0.0.1:${server.app.monitoring.address.port}/metrics`)).text();
    const age = async () =>
      /^citadel_audit_checkpoint_age_seconds\{place="file"\} ([\d.]+)$/m.exec(await metrics())?.[1];
    expect(Number(await age())).toBeLessThan(600);
    await server.stop();
    // A place that never kept one is a new one.
    await (await start({ file: undefined, stdout: {} })).stop();
  });

  test('that cannot be written stop nobody: it is told, and made up for', async () => {
    const server = await start({ file: { path: parent.join('absent/checkpoints') } });
    await issueTo(server);
    const findings = async () => {
      const ready = await fetch(`http://127.0.0.1:${server.app.monitoring.address.port}/readyz?verbose`);
      return `${ready.status} ${await ready.text()}`;
    };
    await waitFor(async () => (await findings()).includes('audit-checkpoints-file'), { what: 'the finding' });
    expect(await findings()).toMatch(/^200 /);
    await mkdir(parent.join('absent'));
    checkpoints = parent.join('absent/checkpoints');
    await waitFor(async () => (await sizes().catch(() => [])).length > 0, { what: 'a checkpoint' });
    await server.stop();
    expect((await sizes()).at(-1)).toBe(await lastSequence());
  });
});

async function lastSequence(): Promise<number> {
  const database = new Database(join(data, 'citadel.db'), { readonly: true });
  try {
    return Number(database.prepare('select max(sequence) from audit').pluck().get());
  } finally {
    database.close();
  }
}
