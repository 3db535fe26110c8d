export type * from './access-log.ts';
export {
  accessLogName,
  accessLogPeriod,
  accessLogTags,
  denialHeader,
  inboundChains,
} from './access-log-names.ts';
export type * from './adoption-store.ts';
export type * from './archive.ts';
export type * from './attestor.ts';
export type * from './audit-log.ts';
export type * from './authority-store.ts';
export type * from './bundle-publisher.ts';
export { capturePorts, captureSources } from './capture.ts';
export type * from './checkpoint-place.ts';
export type * from './decision-records.ts';
export type * from './denial-store.ts';
export type * from './discovery.ts';
export {
  agentCluster,
  inboundListeners,
  sdsNames,
  secretTypeUrl,
  serverCluster,
  trialFilters,
} from './discovery-names.ts';
export type * from './drain-store.ts';
export type * from './enforcement-store.ts';
export type * from './evidence-store.ts';
export type * from './issuance-store.ts';
export type * from './jwks-source.ts';
export type * from './key-manager.ts';
export type * from './mesh-source.ts';
export * from './metrics.ts';
export type * from './operator-store.ts';
export type * from './policy-analysis.ts';
export type * from './policy-store.ts';
export type * from './proxy-renderer.ts';
export type * from './revocation-store.ts';
export type * from './rotation-store.ts';
export type * from './shadow-store.ts';
export type * from './store.ts';
export type * from './upstream-authority.ts';
export type * from './workload-directory.ts';
