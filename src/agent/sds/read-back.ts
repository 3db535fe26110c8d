import { createPrivateKey } from 'node:crypto';
import { credentials } from '@grpc/grpc-js';
import { sdsNames, secretTypeUrl } from '../../domain/ports/index.ts';
import { Secret as WireSecret } from '../../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import { DiscoveryRequest, type DiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { SecretDiscoveryServiceClient } from '../../gen/envoy/service/secret/v3/sds.ts';
import { CitadelError, type Clock, type Log, type Secret } from '../../kernel/index.ts';
import { ConsumerRegistry } from '../consumers.ts';
import { checkReply } from '../identity/reply.ts';
import { IdentityState } from '../identity/state.ts';
import { loadPeerReader } from '../socket/peer.ts';
import { Connections, serveSocket } from '../socket/server.ts';
import { createWorkloadApi } from '../workload-api/service.ts';
import { createSecretDiscovery } from './service.ts';

/** A certificate as the server's reply would carry it. */
export interface HandedOut {
  /** PEM: the leaf, what is between it and its root, and all roots of the bundle in the last element. */
  readonly certChain: readonly string[];
  /** Of the leaf, PKCS#8 PEM. */
  readonly key: Secret<string>;
  readonly trustDomain: string;
  /** Path of the Unix socket, which is there for as long as this takes. */
  readonly socket: string;
}

/** What an SDS client got. */
export interface ReadBack {
  /** PEM of the certificate's chain. */
  readonly chain: string;
  /** PEM of the bundle. */
  readonly bundle: string;
  /** As the agent reports it: the content version of the bundle that the client accepted. */
  readonly acceptedVersion: string;
}

const deadline = 15_000;

/**
 * Hands a certificate and its bundle to an SDS client, by what an agent does with a reply: it checks it, serves it on a
 * Unix socket and waits for the client's answer. Nothing of it stays.
 * @throws CitadelError DataLoss where the agent would refuse the reply; DeadlineExceeded where the client got nothing
 */
export async function readBackBySds(
  { certChain, key, trustDomain, socket }: HandedOut,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<ReadBack> {
  await using closing = new AsyncDisposableStack();
  const state = new IdentityState();
  const reply = checkReply(certChain, {
    key: createPrivateKey(key.reveal()),
    trustDomain,
    current: undefined,
    now: clock.now(),
  });
  state.setIdentity(reply.identity, reply.bundle);
  const registry = new ConsumerRegistry(clock);
  const connections = new Connections(registry);
  const server = await serveSocket(
    { path: socket, mode: 0o600, allowedUids: [process.getuid?.() ?? -1], maxConnections: 1 },
    {
      secretDiscovery: createSecretDiscovery({
        state,
        clock,
        log,
        consumerOf: (peer) => connections.consumer(peer, 'envoy-sds'),
      }),
      workloadApi: createWorkloadApi({
        state,
        clock,
        consumerOf: (peer) => connections.consumer(peer, 'workload-api'),
      }),
    },
    connections,
    await loadPeerReader(),
    log,
  );
  closing.defer(() => server.close());
  const acceptedVersion = accepted(registry);
  const { chain, bundle } = await ask(socket);
  return { chain, bundle, acceptedVersion: await within(acceptedVersion, 'the answer was not taken in') };
}

/** The bundle's version, once the consumer has acknowledged it. */
function accepted(registry: ConsumerRegistry): Promise<string> {
  return new Promise((resolve) => {
    registry.subscribe(() => {
      const resources = registry.list().flatMap((consumer) => consumer.resources);
      const bundle = resources.find(
        ({ kind, accepted: version }) => kind === 'bundle' && version !== undefined,
      );
      if (bundle?.accepted !== undefined) resolve(bundle.accepted);
    });
  });
}

/** One stream as an Envoy opens it: asks, takes the answer and acknowledges it. */
async function ask(path: string): Promise<Pick<ReadBack, 'chain' | 'bundle'>> {
  const client = new SecretDiscoveryServiceClient(`unix:${path}`, credentials.createInsecure());
  const stream = client.streamSecrets();
  const request = (answer?: DiscoveryResponse) =>
    DiscoveryRequest.create({
      node: { id: 'citadel-rehearsal' },
      typeUrl: secretTypeUrl,
      resourceNames: [sdsNames.certificate, sdsNames.bundle],
      responseNonce: answer?.nonce ?? '',
      versionInfo: answer?.versionInfo ?? '',
    });
  try {
    const got = new Promise<DiscoveryResponse>((resolve, reject) => {
      stream.once('data', resolve);
      stream.on('error', reject);
    });
    stream.write(request());
    const answer = await within(got, 'the SDS client got nothing');
    stream.write(request(answer));
    const secrets = answer.resources.map(({ value }) => WireSecret.decode(value));
    return { chain: textOf(secrets, sdsNames.certificate), bundle: textOf(secrets, sdsNames.bundle) };
  } finally {
    stream.end();
    client.close();
  }
}

function textOf(secrets: readonly WireSecret[], name: string): string {
  const type = secrets.find((secret) => secret.name === name)?.type;
  const source =
    type?.$case === 'tlsCertificate'
      ? type.value.certificateChain
      : type?.$case === 'validationContext'
        ? type.value.trustedCa
        : undefined;
  const { specifier } = source ?? {};
  if (specifier?.$case !== 'inlineBytes')
    throw new CitadelError('DataLoss', `the SDS client got no ${name} that it can read`);
  return Buffer.from(specifier.value).toString();
}

function within<T>(what: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CitadelError('DeadlineExceeded', message)), deadline);
  });
  return Promise.race([what, late]).finally(() => clearTimeout(timer));
}
