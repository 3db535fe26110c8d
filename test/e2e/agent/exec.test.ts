import { stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import {
  downstreamTlsContext,
  type ExecOptions,
  envoyAdminSocket,
  runEnvoy,
} from '../../../src/agent/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import { startAgent, trustDomain } from '../../fakes/agent-fixture.ts';
import { exchange, hasPart, requirePart, waitFor } from '../../parts/index.ts';

// A user's own file, as YAML writers write it (flow style is YAML too), without admin and without our cluster.
function userBootstrap(): string {
  const listener = {
    name: 'mtls',
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [
      {
        transport_socket: downstreamTlsContext({ trustDomain }),
        filters: [
          {
            name: 'envoy.filters.network.echo',
            typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo' },
          },
        ],
      },
    ],
  };
  return `node:\n  id: users-own\n  cluster: users\nstatic_resources:\n  listeners:\n  - ${JSON.stringify(listener)}\n`;
}

describe.skipIf(!hasPart('envoy'))('running Envoy', () => {
  test("the user's configuration with ours in it, signals, draining, the exit code", async () => {
    await using fixture = await startAgent();
    await writeFile(fixture.directory.join('envoy.yaml'), userBootstrap());
    const runtimeDirectory = fixture.directory.join('run');
    const options: ExecOptions = {
      command: [
        requirePart('envoy'),
        '-c',
        fixture.directory.join('envoy.yaml'),
        '--disable-hot-restart',
        '--concurrency',
        '1',
        '--log-level',
        'error',
      ],
      socketPath: fixture.socketPath,
      runtimeDirectory,
      drainSeconds: 5,
    };
    const controller = new AbortController();
    const exited = runEnvoy(options, controller.signal, silentLog);
    const adminSocket = envoyAdminSocket(runtimeDirectory);
    const get = (path: string) => exchange(`http://localhost${path}`, { socketPath: adminSocket });
    await waitFor(async () => (await get('/ready')).status === 200);
    expect((await stat(adminSocket)).mode & 0o777).toBe(0o600);
    expect((await stat(runtimeDirectory)).mode & 0o777).toBe(0o700);
    expect(JSON.parse((await get('/server_info')).body)).toHaveProperty('node.id', 'users-own');
    expect((await get('/certs')).body).toContain(fixture.service.serials[0]);
    const began = Date.now();
    controller.abort();
    expect(await exited).toBe(0);
    // Nothing was connected, so the drain does not wait for its end.
    expect(Date.now() - began).toBeLessThan(4_500);
  });

  test('what Envoy exits with is passed on, and a program that is not there is said', async () => {
    await using fixture = await startAgent();
    const base = { socketPath: fixture.socketPath, runtimeDirectory: fixture.directory.join('run') };
    const run = (command: ExecOptions['command']) =>
      runEnvoy({ ...base, command }, new AbortController().signal, silentLog);
    expect(await run([requirePart('envoy'), '--no-such-option'])).toBe(1);
    expect(await run([process.execPath, '-e', 'process.kill(process.pid, "SIGTERM")', '--'])).toBe(143);
    await expect(run([fixture.directory.join('missing')])).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
  });
});
