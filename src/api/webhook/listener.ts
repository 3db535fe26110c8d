import type { ServingCertificateSource } from '../../domain/serving/index.ts';
import {
  createRefusals,
  type HttpsLimits,
  type HttpsListener,
  type ListenAddress,
  type Refusal,
  startHttpsListener,
} from '../listen/index.ts';
import { createWebhookHandler, type WebhookHandlerOptions } from './handler.ts';

export interface WebhookLimits extends HttpsLimits {
  readonly requestBytes: number;
  /** Of the bodies of all requests together. */
  readonly bytesInFlight: number;
  /** Of one address that proves nothing; proven API servers are not held. */
  readonly callsPerSecondPerPeer: number;
}

/** An API server sends an object twice at most, of which etcd takes 1.5 MiB; it has few connections, and reuses them. */
export const defaultWebhookLimits = {
  connections: 256,
  connectionsPerPeer: 64,
  requestBytes: 3 * 1024 * 1024,
  bytesInFlight: 32 * 1024 * 1024,
} as const satisfies Partial<WebhookLimits>;

export interface WebhookListenerOptions extends Pick<WebhookHandlerOptions, 'clients' | 'judge' | 'log'> {
  readonly address: ListenAddress;
  readonly certificates: ServingCertificateSource;
  readonly limits: WebhookLimits;
  readonly onRefused: (refusal: Refusal) => void;
}

export type WebhookListener = HttpsListener;

/**
 * POST /validate for the API servers of Kubernetes, over TLS with the server's own certificate.
 * @throws CitadelError FailedPrecondition when the port is in use or must not be opened
 */
export async function startWebhookListener(options: WebhookListenerOptions): Promise<WebhookListener> {
  const { address, certificates, clients, limits, onRefused, log } = options;
  const now = () => performance.now();
  const refuse = createRefusals(onRefused, now);
  const handle = createWebhookHandler({ ...options, ...limits, refuse, now });
  return await startHttpsListener({
    address,
    certificates,
    limits,
    requestCertificate: clients !== undefined,
    clientAuthorities: clients?.authorities,
    onRequest: (request, response) => void handle(request, response),
    refuse,
    log,
  });
}
