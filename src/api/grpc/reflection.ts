import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { handleBidiStreamingCall, MethodDefinition, Server, UntypedHandleCall } from '@grpc/grpc-js';
import type { GrpcService } from './listener.ts';
import { failStream } from './status.ts';

type Message = Record<string, unknown>;
type Method = MethodDefinition<Message, Message>;
type Handler = handleBidiStreamingCall<Message, Message>;

interface Loaded {
  readonly method: Method;
  readonly handler: UntypedHandleCall;
}

/** The two names that clients ask for: grpcurl the older, newer tools the other. */
const versions = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];

/**
 * gRPC reflection for these services. Its libraries and contracts are loaded at the first question, so that a server
 * that is never asked does not carry them.
 * @param protoFiles relative to the folder proto, as in `citadel/v1/operator.proto`
 * @returns nothing where the contracts are not at hand
 */
export function createReflection(
  protoFiles: readonly string[],
  services: readonly string[],
): readonly GrpcService[] {
  const directory = protoDirectory();
  if (directory === undefined) return [];
  let loading: Promise<ReadonlyMap<string, Loaded>> | undefined;
  return versions.map((version) => {
    const path = `/${version}/ServerReflectionInfo`;
    let loaded: Loaded | undefined;
    // Only reached once the handler reads, which is when all is loaded.
    const method = () => {
      if (!loaded) throw new Error('reflection is not loaded');
      return loaded.method;
    };
    const serve: Handler = (call) => {
      answer(call).catch((error: unknown) => {
        loading = undefined;
        failStream(call, error);
      });
    };
    const answer = async (call: Parameters<Handler>[0]) => {
      loading ??= load(directory, protoFiles, services);
      loaded = (await loading).get(path);
      if (!loaded) throw new Error('this version of reflection is not offered');
      Reflect.apply(loaded.handler, undefined, [call]);
    };
    const definition: Method = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (message) => method().requestSerialize(message),
      requestDeserialize: (bytes) => method().requestDeserialize(bytes),
      responseSerialize: (message) => method().responseSerialize(message),
      responseDeserialize: (bytes) => method().responseDeserialize(bytes),
    };
    return {
      definition: { serverReflectionInfo: definition },
      implementation: { serverReflectionInfo: serve },
    };
  });
}

async function load(
  directory: string,
  protoFiles: readonly string[],
  services: readonly string[],
): Promise<ReadonlyMap<string, Loaded>> {
  const [{ ReflectionService }, { load: loadContracts }] = await Promise.all([
    import('@grpc/reflection'),
    import('@grpc/proto-loader'),
  ]);
  const contracts = await loadContracts([...protoFiles], { includeDirs: [directory], keepCase: true });
  const found = new Map<string, Loaded>();
  const collector: Pick<Server, 'addService'> = {
    addService(definition, implementation) {
      for (const [name, method] of Object.entries(definition)) {
        const handler = implementation[name] ?? implementation[method.originalName ?? ''];
        if (handler) found.set(method.path, { method: method as Method, handler });
      }
    },
  };
  new ReflectionService(contracts, { services: [...services] }).addToServer(collector);
  return found;
}

/** The folder `proto` above this file: beside src, and beside dist. */
function protoDirectory(): string | undefined {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'proto', 'citadel', 'v1', 'operator.proto'))) return join(folder, 'proto');
  }
  return undefined;
}
