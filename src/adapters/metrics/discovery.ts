import { Counter, Histogram, type Registry } from 'prom-client';
import type { Metrics } from '../../domain/ports/index.ts';

/** From 1 ms, a proxy beside us, to a minute, one that is busy with thousands of clusters. */
const answerSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What proxies are sent, and what they make of it. */
export function createDiscoveryMetrics(
  registry: Registry,
): Pick<Metrics, 'discoveryPush' | 'discoveryAnswer' | 'meshFailed'> {
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `citadel_discovery_${name}`, help, labelNames: ['type'], registers });
  const pushes = counter('pushes_total', 'Responses sent to proxies, by type of resource');
  const sent = counter('sent_bytes_total', 'Bytes of the responses sent to proxies');
  const refused = counter('nacks_total', 'Responses that a proxy refused (NACK)');
  const failures = new Counter({
    name: 'citadel_mesh_failures_total',
    help: 'Configurations of a proxy that could not be made anew, and changes of the whole mesh that could not be taken in',
    labelNames: ['of'],
    registers,
  });
  const duration = new Histogram({
    name: 'citadel_discovery_push_seconds',
    help: 'From a response to the proxy’s answer',
    labelNames: ['type'],
    buckets: answerSeconds,
    registers,
  });
  return {
    discoveryPush: (type, bytes) => {
      pushes.inc({ type });
      sent.inc({ type }, bytes);
    },
    meshFailed: (of) => failures.inc({ of }),
    discoveryAnswer: (type, accepted, milliseconds) => {
      duration.observe({ type }, milliseconds / 1000);
      if (!accepted) refused.inc({ type });
    },
  };
}
