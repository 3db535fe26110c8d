export { createCsrService } from './csr/service.ts';
export {
  type GrpcLimits,
  type GrpcListener,
  type GrpcListenerOptions,
  type GrpcService,
  startGrpcListener,
} from './listener.ts';
export { createSyncService, type SyncServiceOptions } from './sync/service.ts';
