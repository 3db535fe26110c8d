export { createMetrics, type PrometheusMetrics } from './prometheus.ts';
