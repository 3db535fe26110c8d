export {
  type AccessLogLimits,
  type AccessLogServiceOptions,
  createAccessLogService,
  defaultAccessLogLimits,
} from './access-log/index.ts';
export {
  createDiscoveryService,
  type DiscoveryLimits,
  type DiscoveryServiceOptions,
  defaultDiscoveryLimits,
} from './ads/index.ts';
export { createCsrService } from './csr/service.ts';
export { createGrpcHealth, type GrpcHealth } from './health.ts';
export {
  type GrpcLimits,
  type GrpcListener,
  type GrpcListenerOptions,
  type GrpcService,
  startGrpcListener,
} from './listener.ts';
export {
  createOperatorService,
  type OperatorServices,
  type OperatorSocket,
  type OperatorSocketOptions,
  type OperatorStatus,
  startOperatorSocket,
} from './operator/index.ts';
export { createReflection } from './reflection.ts';
export { createSyncService, type SyncServiceOptions } from './sync/service.ts';
