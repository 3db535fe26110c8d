import {
  experimental,
  Server,
  type ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ServingCertificate, ServingCertificateSource } from '../../domain/serving/index.ts';
import { CitadelError } from '../../kernel/index.ts';

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

export interface GrpcLimits {
  /** The largest request. */
  readonly messageBytes: number;
  readonly streamsPerConnection: number;
}

export interface GrpcListenerOptions {
  /** Port 0 takes a free one. */
  readonly address: { readonly host: string; readonly port: number };
  readonly certificates: ServingCertificateSource;
  readonly services: readonly GrpcService[];
  readonly limits: GrpcLimits;
}

export interface GrpcListener {
  readonly port: number;
  /** Refuses new calls, finishes those begun, and cuts what is left after `graceMilliseconds`. */
  close(graceMilliseconds: number): Promise<void>;
}

/** Milliseconds without a call, after which a connection is closed. */
const idleConnection = 300_000;

/** Serves gRPC over TLS; a client certificate is asked for, and judged by each service. */
export async function startGrpcListener(options: GrpcListenerOptions): Promise<GrpcListener> {
  const { limits } = options;
  const server = new Server({
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_concurrent_streams': limits.streamsPerConnection,
    'grpc.max_connection_idle_ms': idleConnection,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });
  for (const { definition, implementation } of options.services)
    server.addService(definition, implementation);
  const port = await bind(server, formatAddress(options.address), rotatingCredentials(options.certificates));
  return {
    port,
    close: (grace) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.forceShutdown(), grace);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (!error) return resolve(port);
      const inUse = /EADDRINUSE/.test(error.message);
      reject(
        new CitadelError(
          'FailedPrecondition',
          inUse ? `the address ${address} is in use by another process` : `cannot listen on ${address}`,
          { cause: error },
        ),
      );
    });
  });
}

/**
 * TLS credentials that follow the serving certificate without a restart. Client certificates are requested but not
 * refused in the handshake: callers with a token have none.
 */
function rotatingCredentials(certificates: ServingCertificateSource): ServerCredentials {
  const identity = new Map<unknown, () => void>();
  const authorities = new Map<unknown, () => void>();
  const follow = <Update>(
    stops: Map<unknown, () => void>,
    listener: (update: Update) => void,
    read: (certificate: ServingCertificate) => Update,
  ) => {
    // grpc-js adds its watcher right after this call: an update before that would reach nobody.
    queueMicrotask(() => listener(read(certificates.current())));
    stops.set(
      listener,
      certificates.onChange((certificate) => listener(read(certificate))),
    );
  };
  const unfollow = (stops: Map<unknown, () => void>, listener: unknown) => {
    stops.get(listener)?.();
    stops.delete(listener);
  };
  const provider: experimental.CertificateProvider = {
    addIdentityCertificateListener: (listener) =>
      follow(identity, listener, ({ chainPem, privateKeyPem }) => ({
        certificate: Buffer.from(chainPem),
        privateKey: Buffer.from(privateKeyPem.reveal()),
      })),
    removeIdentityCertificateListener: (listener) => unfollow(identity, listener),
    addCaCertificateListener: (listener) =>
      follow(authorities, listener, ({ bundlePem }) => ({ caCertificate: Buffer.from(bundlePem) })),
    removeCaCertificateListener: (listener) => unfollow(authorities, listener),
  };
  return experimental.createCertificateProviderServerCredentials(provider, provider, false);
}

function formatAddress({ host, port }: GrpcListenerOptions['address']): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
