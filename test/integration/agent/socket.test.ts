import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createAgent } from '../../../src/agent/index.ts';
import { startAgent } from '../../fakes/agent-fixture.ts';
import { temporaryDirectory, waitFor } from '../../parts/index.ts';

const own = process.getuid?.() ?? 0;

/** Whether the agent greets us: an HTTP/2 server sends its SETTINGS unasked. */
async function isGreeted(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    return await new Promise((resolve) => {
      socket.once('data', () => resolve(true));
      socket.once('close', () => resolve(false));
      socket.on('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

const probe = `
const socket = require('node:net').connect(process.argv[1]);
socket.once('connect', () => console.log('connected'));
socket.once('data', () => { console.log('greeted'); socket.destroy(); });
socket.on('error', () => {});
socket.once('close', () => console.log('closed'));`;

async function greetedAs(uid: number, path: string): Promise<string> {
  const child = spawn(process.execPath, ['-e', probe, path], {
    uid,
    gid: uid,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child, 'close');
  return output.trim().replaceAll('\n', ' ');
}

describe('the peers of the socket', () => {
  test('an allowed user is served, another is cut off before a byte is read', async () => {
    await using allowed = await startAgent();
    expect(await isGreeted(allowed.socketPath)).toBe(true);
    await using refused = await startAgent({ agent: { socket: { allowedUids: [own + 1] } } });
    expect(await isGreeted(refused.socketPath)).toBe(false);
    const line = refused.lines.find(({ message }) => message.includes('user is not allowed'));
    expect(line?.fields).toEqual({ uid: own, pid: process.pid });
  });

  test.skipIf(own !== 0)(
    'a process of another user is refused though the file mode lets it connect',
    async () => {
      await using fixture = await startAgent({
        agent: { socket: { mode: 0o666, allowedUids: [0, 12_345] } },
      });
      await chmod(fixture.directory.path, 0o755);
      expect(await greetedAs(12_345, fixture.socketPath)).toBe('connected greeted closed');
      expect(await greetedAs(12_346, fixture.socketPath)).toBe('connected closed');
    },
  );
});

describe('the socket file', () => {
  test('has mode 0600 or the configured one, and goes at the end', async () => {
    await using fixture = await startAgent();
    expect((await stat(fixture.socketPath)).mode & 0o777).toBe(0o600);
    await fixture.stop();
    await expect(lstat(fixture.socketPath)).rejects.toMatchObject({ code: 'ENOENT' });
    await using open = await startAgent({ agent: { socket: { mode: 0o660 } } });
    expect((await stat(open.socketPath)).mode & 0o777).toBe(0o660);
  });

  test('a stale one is replaced; a live one and anything else stays', async () => {
    await using directory = await temporaryDirectory('sock');
    const start = (path: string) =>
      createAgent({
        server: { address: '127.0.0.1:1' },
        trust: { kind: 'bundle-pem', pem: '' },
        socket: { path },
        sync: false,
      });
    const stale = directory.join('stale.sock');
    await leaveStaleSocket(stale);
    const controller = new AbortController();
    const agent = start(stale);
    const running = agent.run(controller.signal);
    await agent.listening;

    await expect(start(stale).run(AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    expect(await isGreeted(stale)).toBe(true);
    controller.abort();
    await running;

    const file = directory.join('file');
    await writeFile(file, 'precious');
    await expect(start(file).run(AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    await expect(
      start(directory.join('x'.repeat(120))).run(AbortSignal.timeout(5_000)),
    ).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
  });

  test('connections beyond the limit are closed', async () => {
    await using fixture = await startAgent({ agent: { socket: { maxConnections: 2 } } });
    const held = [connect(fixture.socketPath), connect(fixture.socketPath)];
    await Promise.all(held.map((socket) => once(socket, 'data')));
    expect(await isGreeted(fixture.socketPath)).toBe(false);
    for (const socket of held) socket.destroy();
    await waitFor(() => isGreeted(fixture.socketPath));
  });
});

/** A socket file whose process is gone: a child that is killed leaves it behind. */
async function leaveStaleSocket(path: string): Promise<void> {
  const code = `require('node:net').createServer().listen(process.argv[1], () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  expect((await lstat(path)).isSocket()).toBe(true);
}
