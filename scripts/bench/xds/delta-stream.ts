import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type SecureClientSessionOptions,
} from 'node:http2';
import { clusterType, listenerType } from '../../../src/api/grpc/ads/types.ts';
import { Node } from '../../../src/gen/envoy/config/core/v3/base.ts';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { wantedBy } from './learn.ts';

export interface Identity {
  readonly workload: string;
  readonly chainPem: string;
  readonly privateKeyPem: string;
}

export interface StreamOptions {
  readonly port: number;
  readonly rootsPem: string;
  readonly identity: Identity;
  /** Called for each response, once it has been accepted. */
  readonly onAck: (response: DeltaDiscoveryResponse, bytes: number) => void;
  /** Of a client that had a stream before; undefined: of one that has nothing. */
  readonly comesBackWith?: Possession;
}

/** Version by name, by type URL, of what a client has; undefined: it wants it and has it not. */
export type Possession = ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;

/** A version that nothing has any more. */
export const outdated = 'outdated';

export const streamHeaders = {
  ':method': 'POST',
  ':path': '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
  'content-type': 'application/grpc',
  te: 'trailers',
} as const;

/**
 * An incremental ADS stream on a TLS connection of its own, which asks as an Envoy does: all clusters, then the endpoints
 * that they name, all listeners, then routes and filters that these name; and accepts all that it is sent. HTTP/2's own
 * window is what an agent's bootstrap has an Envoy open. Of HTTP/2 itself, so that a thousand of them leave the processor to the server.
 */
export class DeltaStream implements Disposable {
  /** Resolves once it has all that it asked for, and rejects when the stream ends before. */
  readonly settled: Promise<void>;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #options: StreamOptions;
  readonly #subscribed = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #has = new Map<string, Map<string, string>>();
  #settle: () => void = () => undefined;
  #received: Buffer = Buffer.alloc(0);

  constructor(options: StreamOptions) {
    this.#options = options;
    const { identity, port, rootsPem } = options;
    const tls: SecureClientSessionOptions = {
      ca: rootsPem,
      cert: identity.chainPem,
      key: identity.privateKeyPem,
      servername: 'localhost',
    };
    this.#session = connect(`https://127.0.0.1:${port}`, tls);
    this.#stream = this.#session.request(streamHeaders);
    this.settled = new Promise((resolve, reject) => {
      this.#settle = resolve;
      const fail = (why: unknown) => reject(new Error(`${identity.workload}: ${String(why)}`));
      this.#session.once('error', fail);
      this.#stream.once('error', fail);
      this.#stream.on('trailers', (trailers) => fail(trailers['grpc-message'] ?? 'the stream has ended'));
    });
    // Who does not wait for it any more hears of the end by what stays away.
    this.settled.catch(() => undefined);
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk));
    const { workload } = identity;
    const node = Node.fromPartial({ id: workload, cluster: 'bench', metadata: { WORKLOAD_NAME: workload } });
    if (options.comesBackWith) {
      this.#comeBack(options.comesBackWith, node);
      return;
    }
    this.#missing.add(listenerType);
    this.#send({ typeUrl: clusterType, resourceNamesSubscribe: ['*'], node });
    this.#send({ typeUrl: listenerType, resourceNamesSubscribe: ['*'] });
  }

  get has(): Possession {
    return this.#has;
  }

  #comeBack(possession: Possession, node: Node): void {
    for (const [typeUrl, versions] of possession) {
      const initialResourceVersions: Record<string, string> = {};
      for (const [name, version] of versions) {
        this.#subscribed.add(`${typeUrl} ${name}`);
        if (version !== undefined) initialResourceVersions[name] = version;
        if (version === undefined || version === outdated) this.#missing.add(`${typeUrl} ${name}`);
      }
      const isWhole = typeUrl === clusterType || typeUrl === listenerType;
      const resourceNamesSubscribe = isWhole ? ['*'] : [...versions.keys()];
      this.#send({ typeUrl, resourceNamesSubscribe, initialResourceVersions, node });
    }
  }

  #send(request: Partial<DeltaDiscoveryRequest>): void {
    const message = DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(request)).finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([head, message]));
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 5) {
      const end = 5 + this.#received.readUInt32BE(1);
      if (this.#received.length < end) return;
      const message = this.#received.subarray(5, end);
      this.#received = this.#received.subarray(end);
      this.#take(DeltaDiscoveryResponse.decode(message), message.length);
    }
  }

  #take(response: DeltaDiscoveryResponse, bytes: number): void {
    const { typeUrl, nonce, resources, removedResources } = response;
    this.#send({ typeUrl, responseNonce: nonce });
    this.#options.onAck(response, bytes);
    const has = this.#has.get(typeUrl) ?? new Map<string, string>();
    this.#has.set(typeUrl, has);
    for (const { name, version } of resources) has.set(name, version);
    for (const name of [...resources.map((each) => each.name), ...removedResources])
      this.#missing.delete(`${typeUrl} ${name}`);
    this.#missing.delete(typeUrl);
    const asked = new Map<string, string[]>();
    for (const [type, wanted] of resources.flatMap((each) => wantedBy(typeUrl, each))) {
      const fresh = wanted.filter((name) => !this.#subscribed.has(`${type} ${name}`));
      for (const name of fresh) {
        this.#subscribed.add(`${type} ${name}`);
        this.#missing.add(`${type} ${name}`);
      }
      const names = asked.get(type) ?? [];
      names.push(...fresh);
      asked.set(type, names);
    }
    for (const [type, names] of asked)
      if (names.length > 0) this.#send({ typeUrl: type, resourceNamesSubscribe: names });
    if (this.#missing.size === 0) this.#settle();
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}
