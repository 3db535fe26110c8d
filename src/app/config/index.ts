export type { AgentConfig } from './agent-schema.ts';
export { maximumConfigBytes } from './document.ts';
export { variableFor } from './environment.ts';
export {
  type LoadOptions,
  loadAgentConfig,
  loadServerConfig,
  readAgentConfig,
  readServerConfig,
  serverConfigFromObject,
} from './load.ts';
export { type PreflightFinding, preflight } from './preflight.ts';
export { type ConfigProblem, formatProblem } from './problem.ts';
export type { ConfigReading, Environment } from './read.ts';
export { configJsonSchemas } from './schemas.ts';
export type { ServerConfig } from './server-config.ts';
