export type { ServedCrl } from './crls.ts';
export {
  type HealthCheck,
  type MonitoringListener,
  type MonitoringOptions,
  startMonitoringListener,
} from './monitoring.ts';
