import { createLog } from '../adapters/logging/index.ts';
import { createMetrics } from '../adapters/metrics/index.ts';
import { type Secret, systemClock } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';
import { type App, createApp } from './create-app.ts';

/** Starts the server as a process does: logging to standard error, counting for Prometheus. */
export async function startServer(config: ServerConfig): Promise<App> {
  const log = createLog({ level: config.log.level });
  const app = await createApp(config, { log, metrics: createMetrics(systemClock) });
  if (app.firstCredential) {
    // For the operator's eyes alone: standard output is no log.
    process.stdout.write(
      firstOperatorHelp(app.firstCredential, app.operator.port, config.listen.operatorSocket),
    );
  }
  return app;
}

function firstOperatorHelp(credential: Secret<string>, port: number, socket: string): string {
  return `There is no operator yet. Make the first one within 24 hours, once, with the credential
  ${credential.reveal()}
by: citadel operator enrol --name NAME --credential-file FILE --server HOST:${port} --ca ROOTS
or as root on this machine, without it: citadel operator enrol --name NAME --socket ${socket}
where ROOTS has what this prints: citadel bundle show --format pem --socket ${socket}
`;
}
