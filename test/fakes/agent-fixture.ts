import { writeFile } from 'node:fs/promises';
import { type Agent, type AgentOptions, createAgent } from '../../src/agent/index.ts';
import type { Clock } from '../../src/kernel/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';
import { type CertificateServiceOptions, FakeCertificateService } from './certificate-service.ts';
import { TestAuthority } from './test-authority.ts';

export const trustDomain = 'agent.test';
export const workloadId = `spiffe://${trustDomain}/ns/shop/sa/web`;
export const testToken = 'header.payload.signature';

export interface AgentFixture extends AsyncDisposable {
  readonly agent: Agent;
  readonly service: FakeCertificateService;
  readonly authority: TestAuthority;
  readonly directory: TemporaryDirectory;
  readonly socketPath: string;
  readonly lines: LogLine[];
  /** Ends the agent, as a signal would. */
  stop(): Promise<void>;
}

export interface FixtureOptions {
  /** What differs; the socket's path is the fixture's. */
  readonly agent?: Partial<Omit<AgentOptions, 'socket' | 'server'>> & {
    readonly server?: Partial<AgentOptions['server']>;
    readonly socket?: Partial<AgentOptions['socket']>;
  };
  readonly service?: Partial<CertificateServiceOptions>;
  readonly authority?: TestAuthority;
  readonly clock?: Clock;
  readonly prepare?: (service: FakeCertificateService, directory: TemporaryDirectory) => void | Promise<void>;
}

/** An agent, running, with a certificate server of its own. */
export async function startAgent(options: FixtureOptions = {}): Promise<AgentFixture> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryDirectory('agent'));
  const authority = options.authority ?? (await TestAuthority.create(trustDomain));
  const service = await FakeCertificateService.start({ authority, spiffeId: workloadId, ...options.service });
  cleanup.defer(() => service.stop());
  await options.prepare?.(service, directory);
  await writeFile(directory.join('token'), `${testToken}\n`, { mode: 0o600 });
  const socketPath = directory.join('agent.sock');
  const { log, lines } = recordingLog();
  const agent = createAgent(
    {
      trust: { kind: 'bundle-pem', pem: authority.rootPem },
      token: { file: directory.join('token') },
      backoff: { baseMilliseconds: 20, maximumMilliseconds: 100 },
      refusedBackoff: { baseMilliseconds: 100, maximumMilliseconds: 200 },
      ...options.agent,
      server: { serverName: 'citadel.test', ...options.agent?.server, address: service.address },
      socket: { ...options.agent?.socket, path: socketPath },
    },
    { log, ...(options.clock === undefined ? {} : { clock: options.clock }) },
  );
  const controller = new AbortController();
  const running = agent.run(controller.signal);
  running.catch(() => undefined);
  const stop = async () => {
    controller.abort();
    await running;
  };
  cleanup.defer(stop);
  await agent.listening;
  const resources = cleanup.move();
  return {
    agent,
    service,
    authority,
    directory,
    socketPath,
    lines,
    stop,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
