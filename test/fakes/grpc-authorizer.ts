import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Struct } from '../../src/gen/google/protobuf/struct.ts';

export interface GrpcAuthorizer extends AsyncDisposable {
  readonly port: number;
  /** What Envoy is told beside yes, for filters behind; it may be changed. */
  left: Readonly<Record<string, unknown>>;
}

/** Envoy's gRPC authorizer (envoy.service.auth.v3) that says yes to everything. */
export async function startGrpcAuthorizer(left: GrpcAuthorizer['left']): Promise<GrpcAuthorizer> {
  const state = { left };
  /** An empty `status` (field 1), which is OK, and `dynamic_metadata` (field 4). */
  const reply = () => {
    const metadata = Buffer.from(Struct.encode(Struct.wrap(state.left)).finish());
    return Buffer.concat([Buffer.of(0x0a, 0x00, 0x22, metadata.length), metadata]);
  };
  return Object.assign(state, await serveCheckResponses(reply));
}

/** A gRPC authorizer that answers each check with these bytes, a `CheckResponse`. */
export async function serveCheckResponses(
  reply: () => Buffer,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = new Server();
  const raw = (bytes: Buffer) => bytes;
  const check = {
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  };
  server.addService(
    { check },
    { check: (_call: unknown, done: (error: null, reply: Buffer) => void) => done(null, reply()) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, [Symbol.asyncDispose]: () => Promise.resolve(server.forceShutdown()) };
}
