import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Server } from '@grpc/grpc-js';

/** The folder `proto` above this file: beside src, and beside dist. */
function protoDirectory(): string | undefined {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'proto', 'citadel', 'v1', 'operator.proto'))) return join(folder, 'proto');
  }
  return undefined;
}

/**
 * Answers gRPC reflection for these services. Loads its libraries when called, so that a server without reflection does
 * not carry them.
 * @param protoFiles relative to the folder proto, as in `citadel/v1/operator.proto`
 * @returns whether the contracts were at hand
 */
export async function addReflection(
  server: Server,
  protoFiles: readonly string[],
  services: readonly string[],
): Promise<boolean> {
  const directory = protoDirectory();
  if (directory === undefined) return false;
  const [{ ReflectionService }, { load }] = await Promise.all([
    import('@grpc/reflection'),
    import('@grpc/proto-loader'),
  ]);
  const definition = await load([...protoFiles], { includeDirs: [directory], keepCase: true });
  new ReflectionService(definition, { services: [...services] }).addToServer(server);
  return true;
}
