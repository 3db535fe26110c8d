import type { Client, ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
  type DiscoveryResponse,
} from '../../src/gen/envoy/service/discovery/v3/discovery.ts';

const typeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

/** What a stream gave, in order, to be awaited one by one. */
export class Inbox<T> implements Disposable {
  readonly #items: T[] = [];
  readonly #waiting: { resolve: (item: T) => void; reject: (error: unknown) => void }[] = [];
  readonly #stream: { cancel(): void };
  #failure: unknown;

  constructor(stream: ClientReadableStream<T> | ClientDuplexStream<never, T>) {
    this.#stream = stream;
    stream.on('data', (item: T) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting.resolve(item);
      else this.#items.push(item);
    });
    const fail = (error: unknown) => {
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
    if (this.#failure !== undefined) return Promise.reject(this.#failure as Error);
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

/** Opens a two-way stream of a generated client; the client is closed with it. */
export function openStream<Request, Response>(client: Client, method: string): OpenStream<Request, Response> {
  const stub = client as unknown as Record<string, () => ClientDuplexStream<Request, Response>>;
  const stream = stub[method]?.call(client);
  if (stream === undefined) throw new Error(`the client has no method ${method}`);
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
