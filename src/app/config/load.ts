import { CitadelError } from '../../kernel/index.ts';
import { type AgentConfig, agentSchema } from './agent-schema.ts';
import { readConfigFile } from './document.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';
import { type ConfigKind, type ConfigReading, type Environment, readConfig } from './read.ts';
import { checkServerConfig, completeServerConfig, type ServerConfig } from './server-config.ts';
import { type ParsedServerConfig, serverSchema } from './server-schema.ts';

export interface LoadOptions {
  readonly file: string;
  readonly env: Environment;
  /** Called for each thing that is odd but not wrong. */
  readonly onWarning?: (warning: string) => void;
}

const serverKind: ConfigKind<ParsedServerConfig, ServerConfig> = {
  schema: serverSchema,
  check: checkServerConfig,
  complete: completeServerConfig,
};

const agentKind: ConfigKind<AgentConfig, AgentConfig> = {
  schema: agentSchema,
  check: () => [],
  complete: (parsed) => parsed,
};

/** Reads and judges a server's configuration. @throws CitadelError when the file itself cannot be read */
export function readServerConfig(options: LoadOptions): ConfigReading<ServerConfig> {
  return readConfig(serverKind, readConfigFile(options.file), options.file, options.env);
}

export function readAgentConfig(options: LoadOptions): ConfigReading<AgentConfig> {
  return readConfig(agentKind, readConfigFile(options.file), options.file, options.env);
}

/** @throws CitadelError InvalidArgument with one line for each problem */
export function loadServerConfig(options: LoadOptions): ServerConfig {
  return accepted(readServerConfig(options), options);
}

/** @throws CitadelError InvalidArgument with one line for each problem */
export function loadAgentConfig(options: LoadOptions): AgentConfig {
  return accepted(readAgentConfig(options), options);
}

/** The same rules and defaults for a configuration made by a program, as tests do. */
export function serverConfigFromObject(value: object, env: Environment = {}): ServerConfig {
  return accepted(readConfig(serverKind, JSON.stringify(value, undefined, 2), 'object', env), undefined);
}

function accepted<T>(reading: ConfigReading<T>, options: LoadOptions | undefined): T {
  for (const warning of reading.warnings) options?.onWarning?.(formatProblem(warning));
  if (reading.config === undefined) throw configError(reading.problems);
  return reading.config;
}

function configError(problems: readonly ConfigProblem[]): CitadelError {
  return new CitadelError('InvalidArgument', problems.map(formatProblem).join('\n'));
}
