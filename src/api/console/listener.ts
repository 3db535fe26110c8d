import type { Metrics } from '../../domain/ports/index.ts';
import type { ServingCertificateSource } from '../../domain/serving/index.ts';
import type { Log } from '../../kernel/index.ts';
import { largestConsoleRequest } from '../../wire/console.ts';
import {
  createRefusals,
  type HttpsLimits,
  type HttpsListener,
  type ListenAddress,
  type Refusal,
  startHttpsListener,
} from '../listen/index.ts';
import { createConsoleHandler } from './handler.ts';
import { readPages } from './pages.ts';
import type { ConsoleServices } from './services.ts';

export interface ConsoleLimits extends HttpsLimits {
  readonly requestBytes: number;
  /** Of the bodies of all requests together. */
  readonly bytesInFlight: number;
  readonly callsPerSecondPerPeer: number;
}

/** A browser opens six connections; policies are written by hand, and a text of them is small. */
export const defaultConsoleLimits = {
  connections: 256,
  connectionsPerPeer: 32,
  requestBytes: largestConsoleRequest,
  bytesInFlight: 16 * 1024 * 1024,
} as const satisfies Partial<ConsoleLimits>;

export interface ConsoleListenerOptions {
  readonly address: ListenAddress;
  /** As browsers write it; undefined: `https://localhost` and the port. */
  readonly origin: string | undefined;
  /** Where scripts/build-console wrote the pages. */
  readonly directory: string;
  readonly services: ConsoleServices;
  readonly certificates: ServingCertificateSource;
  readonly limits: ConsoleLimits;
  readonly metrics: Metrics;
  readonly onRefused: (refusal: Refusal) => void;
  readonly log: Log;
}

export interface ConsoleListener extends HttpsListener {
  readonly origin: string;
}

/**
 * The console for browsers: its pages and its calls, over TLS with the server's own certificate.
 * @throws CitadelError FailedPrecondition when the port cannot be opened or the pages are not built
 */
export async function startConsoleListener(options: ConsoleListenerOptions): Promise<ConsoleListener> {
  const { address, directory, services, certificates, limits, onRefused, metrics, log } = options;
  const pages = await readPages(directory);
  const now = () => performance.now();
  const refuse = createRefusals(onRefused, now);
  let handle: ReturnType<typeof createConsoleHandler> | undefined;
  const listener = await startHttpsListener({
    address,
    certificates,
    limits,
    requestCertificate: services.sessions.ways.clientCertificate,
    onRequest: (request, response) => {
      if (handle) void handle(request, response);
      else response.destroy();
    },
    refuse,
    log,
  });
  // The port is known only now, where the system has chosen it.
  const origin = options.origin ?? `https://localhost${listener.port === 443 ? '' : `:${listener.port}`}`;
  handle = createConsoleHandler({ ...limits, services, pages, origin, metrics, refuse, now, log });
  return { ...listener, origin };
}
