import { type Client, type ClientDuplexStream, type ClientReadableStream, credentials } from '@grpc/grpc-js';
import {
  DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DiscoveryRequest,
  type DiscoveryResponse,
} from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { SecretDiscoveryServiceClient } from '../../src/gen/envoy/service/secret/v3/sds.ts';

const typeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

/** What a stream gave, in order, to be awaited one by one. */
export class Inbox<T> implements Disposable {
  readonly #items: T[] = [];
  readonly #waiting: { resolve: (item: T) => void; reject: (error: unknown) => void }[] = [];
  readonly #stream: { cancel(): void };
  #failure: Error | undefined;

  constructor(stream: ClientReadableStream<T> | Pick<ClientDuplexStream<never, T>, 'on' | 'cancel'>) {
    this.#stream = stream;
    stream.on('data', (item: T) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting.resolve(item);
      else this.#items.push(item);
    });
    const fail = (error: Error) => {
      this.#failure ??= error;
      for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    };
    stream.on('error', fail);
    stream.on('end', () => fail(new Error('the stream ended')));
  }

  /** The next message, past or to come. */
  next(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Messages that nobody has taken yet. */
  get pending(): number {
    return this.#items.length;
  }

  [Symbol.dispose](): void {
    this.#stream.cancel();
  }
}

export interface OpenStream<Request, Response> extends Disposable {
  write(request: Request): void;
  next(): Promise<Response>;
}

/** Takes a two-way stream of `client`, which is closed with it. */
function openStream<Request, Response>(
  client: Client,
  stream: ClientDuplexStream<Request, Response>,
): OpenStream<Request, Response> {
  const inbox = new Inbox<Response>(stream);
  return {
    write: (request) => void stream.write(request),
    next: () => inbox.next(),
    [Symbol.dispose]() {
      inbox[Symbol.dispose]();
      client.close();
    },
  };
}

export function streamSecrets(socketPath: string): OpenStream<DiscoveryRequest, DiscoveryResponse> {
  const client = sdsClient(socketPath);
  return openStream(client, client.streamSecrets());
}

export function deltaSecrets(socketPath: string): OpenStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  const client = sdsClient(socketPath);
  return openStream(client, client.deltaSecrets());
}

export function sdsClient(socketPath: string): SecretDiscoveryServiceClient {
  return new SecretDiscoveryServiceClient(`unix:${socketPath}`, credentials.createInsecure());
}

/** A first request, or the answer to `response`: an ACK, or with `error` a NACK. */
export function sotwRequest(
  names: readonly string[],
  response?: DiscoveryResponse,
  error?: string,
): DiscoveryRequest {
  return DiscoveryRequest.create({
    node: { id: 'test', cluster: 'test' },
    typeUrl,
    resourceNames: [...names],
    responseNonce: response?.nonce ?? '',
    versionInfo: error === undefined ? (response?.versionInfo ?? '') : '',
    ...(error === undefined ? {} : { errorDetail: { code: 13, message: error } }),
  });
}

export interface DeltaParts {
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly versions?: Readonly<Record<string, string>>;
  readonly nonce?: string;
}

export function deltaRequest({
  subscribe = [],
  unsubscribe = [],
  versions = {},
  nonce = '',
}: DeltaParts): DeltaDiscoveryRequest {
  return DeltaDiscoveryRequest.create({
    node: { id: 'test', cluster: 'test' },
    typeUrl,
    resourceNamesSubscribe: [...subscribe],
    resourceNamesUnsubscribe: [...unsubscribe],
    initialResourceVersions: versions,
    responseNonce: nonce,
  });
}
