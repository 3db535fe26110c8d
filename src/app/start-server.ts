import { createLog } from '../adapters/logging/index.ts';
import { createMetrics } from '../adapters/metrics/index.ts';
import { systemClock } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';
import { type App, createApp } from './create-app.ts';

/** Starts the server as a process does: logging to standard error, counting for Prometheus. */
export async function startServer(config: ServerConfig): Promise<App> {
  const log = createLog({ level: config.log.level });
  const app = await createApp(config, { log, metrics: createMetrics(systemClock) });
  if (app.firstCredential) {
    // For the operator's eyes alone: standard output is no log.
    process.stdout.write(
      `There is no operator yet. Make the first one within 24 hours, once, with the credential\n  ${app.firstCredential.reveal()}\nor as root on this machine: citadel operator enrol --socket ${config.listen.operatorSocket}\n`,
    );
  }
  return app;
}
