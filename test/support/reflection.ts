import { join } from 'node:path';
import { type ChannelCredentials, Client, type ClientOptions, type MethodDefinition } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';

const contracts = join(
  import.meta.dirname,
  '../../node_modules/@grpc/reflection/build/proto/grpc/reflection',
);

export interface ReflectionTarget {
  readonly port: number;
  readonly credentials: ChannelCredentials;
  readonly options?: ClientOptions;
}

/**
 * Asks a server's reflection one question, as grpcurl (v1alpha) and newer tools (v1) do.
 * @param question a ServerReflectionRequest, `{listServices: ''}`
 */
export async function reflect(
  { port, credentials, options = {} }: ReflectionTarget,
  question: object,
  version: 'v1' | 'v1alpha' = 'v1',
): Promise<unknown> {
  const loaded = await load(join(contracts, version, 'reflection.proto'));
  const service = loaded[`grpc.reflection.${version}.ServerReflection`] ?? {};
  const method: unknown = Reflect.get(service, 'ServerReflectionInfo');
  if (!isMethod(method)) throw new Error('no reflection method');
  const client = new Client(`127.0.0.1:${port}`, credentials, options);
  try {
    const { path, requestSerialize, responseDeserialize } = method;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const reply = new Promise<unknown>((done, fail) => {
      stream.on('data', done);
      stream.on('error', fail);
    });
    stream.write(question);
    stream.end();
    return await reply;
  } finally {
    client.close();
  }
}

function isMethod(value: unknown): value is MethodDefinition<object, object> {
  return typeof value === 'object' && value !== null && 'requestSerialize' in value;
}
