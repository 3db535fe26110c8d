export { type Agent, type AgentOverrides, createAgent } from './agent.ts';
export {
  downstreamTlsContext,
  type ExpectedPeers,
  sdsClusterBootstrap,
  sdsSecret,
  upstreamTlsContext,
} from './envoy/bootstrap.ts';
export type { Json, JsonObject } from './envoy/json.ts';
export type { EnvoyNode } from './exec/bootstrap.ts';
export { type ExecOptions, envoyAdminSocket, runEnvoy } from './exec/run-envoy.ts';
export type { AgentSnapshot, Bundle, Identity } from './identity/identity.ts';
export type { AgentOptions, EnvoyOptions, FilesOptions, TrustSource } from './options.ts';
export { type HandedOut, type ReadBack, readBackBySds } from './sds/read-back.ts';
