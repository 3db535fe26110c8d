import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What an agent says of itself when it is scraped. */
export interface AgentMetricsSource {
  /** Seconds until the certificate in use ends, negative once it has; undefined before the first. */
  certificateExpirySeconds(): number | undefined;
  /** Consumers that are connected. */
  consumers(): number;
}

export interface AgentMetrics {
  readonly contentType: string;
  /** In Prometheus' text format. */
  expose(): Promise<string>;
}

export function createAgentMetrics(source: AgentMetricsSource): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const expiry = new Gauge({
    name: 'citadel_agent_certificate_expiry_seconds',
    help: 'Seconds until the certificate in use ends; absent before the first',
    registers,
    // A gauge without labels begins at 0, which would read as "ends now".
    labelNames: ['kind'],
    collect: () => {
      const seconds = source.certificateExpirySeconds();
      if (seconds !== undefined) expiry.set({ kind: 'x509-svid' }, seconds);
    },
  });
  const consumers: Gauge = new Gauge({
    name: 'citadel_agent_consumers',
    help: 'Consumers that are connected: Envoys, Workload API clients, files',
    registers,
    collect: () => consumers.set(source.consumers()),
  });
  return { contentType: registry.contentType, expose: () => registry.metrics() };
}
