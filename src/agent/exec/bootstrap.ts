import { readFile } from 'node:fs/promises';
import { CitadelError, describeError } from '../../kernel/index.ts';
import { sdsClusterBootstrap } from '../envoy/bootstrap.ts';
import type { JsonObject } from '../envoy/json.ts';
import { type ControlPlaneOptions, controlPlaneBootstrap } from './control-plane.ts';

export interface EnvoyNode {
  readonly id: string;
  readonly cluster: string;
}

export interface AgentBootstrapOptions {
  /** The agent's socket. */
  readonly socketPath: string;
  readonly adminSocket: string;
  /** Where Envoy has its configuration from the server; absent where files alone configure it. */
  readonly controlPlane?: ControlPlaneOptions;
}

/**
 * What Envoy must have whatever else it is told: the agent's cluster, an admin that no other user can reach, and, where
 * it follows the control plane, the way there.
 */
export function agentBootstrap(
  { socketPath, adminSocket, controlPlane }: AgentBootstrapOptions,
  node: EnvoyNode | undefined,
): JsonObject {
  const server = controlPlane && controlPlaneBootstrap(controlPlane);
  const workloadName = controlPlane?.workloadName;
  return {
    ...(node === undefined && workloadName === undefined
      ? {}
      : {
          node: {
            ...(node === undefined ? {} : { id: node.id, cluster: node.cluster }),
            ...(workloadName === undefined ? {} : { metadata: { WORKLOAD_NAME: workloadName } }),
          },
        }),
    admin: { address: { pipe: { path: adminSocket, mode: 0o600 } } },
    ...(server ? { dynamic_resources: server.dynamicResources } : {}),
    static_resources: { clusters: [sdsClusterBootstrap(socketPath), ...(server ? [server.cluster] : [])] },
  };
}

const inlineOption = /^--config-yaml(?:=|$)/;

/** The path after `-c` or `--config-path` in Envoy's arguments. @throws CitadelError when the arguments contradict ours */
export function userConfigPath(args: readonly string[]): string | undefined {
  if (args.some((arg) => inlineOption.test(arg))) {
    throw new CitadelError(
      'InvalidArgument',
      '--config-yaml is used by the agent; put your configuration into a file',
    );
  }
  const index = args.findIndex((arg) => arg === '-c' || arg === '--config-path');
  if (index >= 0) return args[index + 1];
  return args.find((arg) => arg.startsWith('--config-path='))?.slice('--config-path='.length);
}

/**
 * Envoy's arguments with ours. Envoy merges an inline configuration into the file's as protobuf does: clusters are added,
 * the admin's address is replaced. So the user's file stays as it is, in whichever format it is written.
 */
export async function envoyArguments(
  args: readonly string[],
  own: (node: EnvoyNode | undefined) => JsonObject,
  node: EnvoyNode | undefined,
  drainSeconds: number,
): Promise<string[]> {
  const path = userConfigPath(args);
  const named = path === undefined ? false : await namesNode(path);
  const inline = JSON.stringify(own(node ?? (named ? undefined : defaultNode())));
  const drain = args.some((arg) => arg.startsWith('--drain-time-s'))
    ? []
    : ['--drain-time-s', String(drainSeconds)];
  return [...args, ...drain, '--config-yaml', inline];
}

/** Envoy refuses gRPC configuration sources without a node id; one's own stays. */
async function namesNode(path: string): Promise<boolean> {
  try {
    return /(?:^|\n)node:|"node"\s*:/.test(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new CitadelError('InvalidArgument', "Envoy's configuration file cannot be read", {
      details: `${path}: ${describeError(cause)}`,
      cause,
    });
  }
}

function defaultNode(): EnvoyNode {
  return { id: `citadel-agent-${process.pid}`, cluster: 'citadel' };
}
