export {
  type HealthCheck,
  type MonitoringListener,
  type MonitoringOptions,
  startMonitoringListener,
} from './monitoring.ts';
