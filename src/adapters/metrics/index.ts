export { type AgentMetrics, type AgentMetricsSource, createAgentMetrics } from './agent.ts';
export { createMetrics, type PrometheusMetrics } from './prometheus.ts';
