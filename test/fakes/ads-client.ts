import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { AggregatedDiscoveryServiceClient } from '../../src/gen/envoy/service/discovery/v3/ads.ts';
import {
  DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DiscoveryRequest,
  type DiscoveryResponse,
} from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Inbox } from './sds-client.ts';

type Parts<Wire> = Partial<Omit<Wire, 'errorDetail'>> & { readonly error?: string | undefined };

export interface AdsStream<Wire, Response> extends Disposable {
  send(request: Parts<Wire>): void;
  next(): Promise<Response>;
  /** Accepts a response, or with an error refuses it. */
  answer(response: Response, more?: Parts<Wire>): void;
  readonly ended: Promise<ServiceError>;
}

const node = { id: 'test-node', cluster: 'test', metadata: { labels: { app: 'web' } } };

export function openSotw(
  client: AggregatedDiscoveryServiceClient,
): AdsStream<DiscoveryRequest, DiscoveryResponse> {
  const wire = client.streamAggregatedResources();
  let version = '';
  const send = ({ error, ...parts }: Parts<DiscoveryRequest>) =>
    void wire.write(DiscoveryRequest.create({ node, ...parts, ...failure(error) }));
  return wrap(client, wire, send, (response: DiscoveryResponse, more) => {
    if (more.error === undefined) version = response.versionInfo;
    send({ typeUrl: response.typeUrl, responseNonce: response.nonce, versionInfo: version, ...more });
  });
}

export function openDelta(
  client: AggregatedDiscoveryServiceClient,
): AdsStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  const wire = client.deltaAggregatedResources();
  const send = ({ error, ...parts }: Parts<DeltaDiscoveryRequest>) =>
    void wire.write(DeltaDiscoveryRequest.create({ node, ...parts, ...failure(error) }));
  return wrap(client, wire, send, (response: DeltaDiscoveryResponse, more) =>
    send({ typeUrl: response.typeUrl, responseNonce: response.nonce, ...more }),
  );
}

function failure(error: string | undefined) {
  return error === undefined ? {} : { errorDetail: { code: 13, message: error } };
}

function wrap<Request, Response>(
  client: AggregatedDiscoveryServiceClient,
  wire: ClientDuplexStream<Request, Response>,
  send: (parts: Parts<Request>) => void,
  answer: (response: Response, more: Parts<Request>) => void,
): AdsStream<Request, Response> {
  const inbox = new Inbox<Response>(wire);
  const ended = new Promise<ServiceError>((resolve) => void wire.on('error', resolve));
  return {
    send,
    answer: (response, more = {}) => answer(response, more),
    next: () => inbox.next(),
    ended,
    [Symbol.dispose]() {
      inbox[Symbol.dispose]();
      client.close();
    },
  };
}
