/**
 * Runs within one network namespace and does what a test asks of it over IPC: a process cannot change the namespace of
 * sockets that it opens otherwise. Ends, with all that it started, when the test does.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { exchange } from '../../parts/http.ts';
import type { Call, HttpResult, OperationName, Operations, Result, RunResult } from './operations.ts';

/** Milliseconds for an answer. */
const deadline = 10_000;

const children: ChildProcess[] = [];
const sockets = new Map<number, Socket>();

const operations: Operations = {
  run: ({ command, args }) =>
    new Promise<RunResult>((done) => {
      const child = execFile(command, args, (error, stdout, stderr) => {
        done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
      child.stdin?.end();
    }),

  start({ command, args, uid, log }) {
    const output = openSync(log, 'a');
    children.push(
      spawn(command, args, {
        uid,
        gid: uid,
        cwd: '/',
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', output, output],
      }),
    );
    return Promise.resolve();
  },

  stop: endChildren,

  write({ path, text }) {
    writeFileSync(path, text);
    return Promise.resolve();
  },

  relay: ({ port, socketPath }) =>
    listening(
      createServer((near) => join(near, connect(socketPath))),
      port,
      '127.0.0.1',
    ),

  serveHttp: ({ name, port }) =>
    listening(
      createHttpServer((request, response) => {
        response.setHeader('x-caller', request.headers['x-forwarded-client-cert'] ?? 'nobody known');
        response.setHeader('x-peer', request.socket.remoteAddress ?? '');
        response.end(`${name} ${request.method} ${request.url}`);
      }),
      port,
      '::',
    ),

  serveEcho: ({ port }) =>
    listening(
      createServer((socket) => {
        socket.on('error', () => socket.destroy());
        socket.pipe(socket);
      }),
      port,
      '::',
    ),

  async get({ url, headers = {} }): Promise<HttpResult> {
    try {
      // Each call on a connection of its own: whether it was captured is decided when it is opened.
      const reply = await exchange(url, { headers: { ...headers, connection: 'close' }, deadline });
      return { status: reply.status, body: reply.body, headers: reply.headers };
    } catch (error) {
      return { failed: codeOf(error) };
    }
  },

  open: ({ id, host, port, localPort }) =>
    new Promise((done) => {
      const socket = connect({ host, port, ...(localPort === undefined ? {} : { localPort }) });
      sockets.set(id, socket);
      const patience = setTimeout(() => socket.destroy(new Error('timeout')), deadline);
      socket.once('connect', () => {
        clearTimeout(patience);
        done({});
      });
      socket.once('error', (error) => done({ failed: codeOf(error) }));
    }),

  say: ({ id, text }) =>
    new Promise((done) => {
      const socket = sockets.get(id);
      if (!socket || socket.destroyed) return done({ failed: 'closed' });
      const patience = setTimeout(() => socket.destroy(new Error('timeout')), deadline);
      socket.once('data', (data) => {
        clearTimeout(patience);
        done({ body: data.toString('utf8') });
      });
      socket.once('error', (error) => done({ failed: codeOf(error) }));
      socket.once('close', () => done({ failed: 'closed' }));
      socket.write(text);
    }),
};

/** By SIGTERM first: an agent takes its Envoy along, which would outlive it otherwise. */
async function endChildren(): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(patience);
    }),
  );
}

function listening(server: ReturnType<typeof createServer>, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => done());
  });
}

function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}

function perform<K extends OperationName>({ operation, given }: Call<K>): Promise<Result<K>> {
  return operations[operation](given);
}

process.on('message', (call: Call) => {
  perform(call).then(
    (result) => process.send?.({ id: call.id, result }),
    (error: unknown) => process.send?.({ id: call.id, error: String(error) }),
  );
});
process.once('disconnect', () => {
  void endChildren().finally(() => process.exit());
});
process.send?.({ id: 0 });
