import type { Agent } from '../agent/index.ts';
import { type MonitoringListener, startMonitoringListener } from '../api/http/index.ts';
import { CitadelError, type Clock, type Log } from '../kernel/index.ts';

export interface AgentMonitoringOptions {
  readonly address: { readonly host: string; readonly port: number };
  readonly agent: Pick<Agent, 'snapshot' | 'consumers'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** /livez, /readyz and /metrics of an agent, where they are asked for: ready is who has a certificate that lives. */
export async function startAgentMonitoring(options: AgentMonitoringOptions): Promise<MonitoringListener> {
  const { address, agent, clock, log } = options;
  // Only here: an agent stands beside every workload, and most are not scraped.
  const { createAgentMetrics } = await import('../adapters/metrics/index.ts');
  const secondsLeft = () => {
    const end = agent.snapshot().identity?.notAfter;
    return end === undefined ? undefined : (end.getTime() - clock.now().getTime()) / 1000;
  };
  const monitoring = await startMonitoringListener({
    address,
    registry: createAgentMetrics({
      certificateExpirySeconds: secondsLeft,
      consumers: () => agent.consumers().length,
    }),
    livez: [],
    readyz: [
      {
        name: 'certificate',
        check: () => {
          const left = secondsLeft();
          if (left === undefined) return refused('there is no certificate yet');
          return left > 0 ? Promise.resolve(undefined) : refused('the certificate has ended');
        },
      },
    ],
    log,
  });
  log.info('monitoring', { port: monitoring.address.port });
  return monitoring;
}

function refused(message: string): Promise<never> {
  return Promise.reject(new CitadelError('FailedPrecondition', message));
}
