import { type Metadata, type ServerWritableStream, status } from '@grpc/grpc-js';
import {
  type SpiffeWorkloadAPIServer,
  X509BundlesResponse,
  X509SVIDResponse,
} from '../../gen/spiffe/workload/workload.ts';
import type { Clock } from '../../kernel/index.ts';
import type { ConsumerRecord } from '../consumers.ts';
import { type AgentSnapshot, type Bundle, ownBundle } from '../identity/identity.ts';
import type { IdentityState } from '../identity/state.ts';

export interface WorkloadApiDependencies {
  readonly state: IdentityState;
  readonly clock: Clock;
  readonly consumerOf: (peer: string) => ConsumerRecord | undefined;
}

interface Sent {
  readonly name: string;
  readonly kind: 'svid' | 'bundle';
  readonly version: string;
}

interface Update<Response> {
  /** Changes with the content: the same key is not sent twice. */
  readonly key: string;
  readonly response: Response;
  readonly sent: readonly Sent[];
}

/** The X.509 part of the SPIFFE Workload API (section 5); any allowed peer of the socket is our workload. */
export function createWorkloadApi(dependencies: WorkloadApiDependencies): SpiffeWorkloadAPIServer {
  return {
    fetchX509Svid: (call) => stream(call, dependencies, svidUpdate),
    fetchX509Bundles: (call) => stream(call, dependencies, bundlesUpdate),
  };
}

function stream<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  { state, clock, consumerOf }: WorkloadApiDependencies,
  render: (snapshot: AgentSnapshot, now: Date) => Update<Response> | undefined,
): void {
  if (!hasSecurityHeader(call.metadata)) {
    // Workload Endpoint 6.1: a request without it may be one that a server was tricked into (SSRF).
    fail(call, status.INVALID_ARGUMENT, 'the metadata workload.spiffe.io: true is missing');
    return;
  }
  const consumer = consumerOf(call.getPeer());
  let last: string | undefined;
  const push = (): boolean => {
    const update = render(state.snapshot, clock.now());
    if (update === undefined) return false;
    if (update.key === last) return true;
    last = update.key;
    call.write(update.response);
    for (const { name, kind, version } of update.sent) consumer?.sent(name, kind, version);
    return true;
  };
  if (!push()) {
    fail(call, status.PERMISSION_DENIED, 'no identity issued');
    return;
  }
  const unsubscribe = state.subscribe(push);
  for (const event of ['cancelled', 'close', 'error', 'finish']) call.on(event, unsubscribe);
}

function hasSecurityHeader(metadata: Metadata): boolean {
  const values = metadata.get('workload.spiffe.io');
  return values.length === 1 && values[0] === 'true';
}

function fail(call: { emit(event: 'error', error: unknown): boolean }, code: status, details: string): void {
  call.emit('error', { code, details });
}

/** Section 5.2.1. An expired certificate is no identity. */
function svidUpdate(snapshot: AgentSnapshot, now: Date): Update<X509SVIDResponse> | undefined {
  const { identity } = snapshot;
  const bundle = ownBundle(snapshot);
  if (identity === undefined || bundle === undefined || identity.notAfter <= now) return undefined;
  const federated = [...snapshot.bundles.values()].filter((each) => each.trustDomain !== bundle.trustDomain);
  const spiffeId = identity.id.toString();
  const response = X509SVIDResponse.create({
    svids: [
      {
        spiffeId,
        x509Svid: Buffer.concat(identity.chain.map(({ der }) => der)),
        x509SvidKey: Buffer.from(identity.keyDer.reveal()),
        bundle: derOf(bundle),
      },
    ],
    federatedBundles: byTrustDomain(federated),
  });
  const sent: Sent[] = [{ name: spiffeId, kind: 'svid', version: identity.serial }, sentBundle(bundle)];
  return { key: keyOf([...sent, ...federated.map(sentBundle)]), response, sent };
}

/** Section 5.2.2. */
function bundlesUpdate(snapshot: AgentSnapshot): Update<X509BundlesResponse> | undefined {
  const bundles = [...snapshot.bundles.values()];
  if (bundles.length === 0) return undefined;
  const sent = bundles.map(sentBundle);
  return {
    key: keyOf(sent),
    response: X509BundlesResponse.create({ bundles: byTrustDomain(bundles) }),
    sent,
  };
}

function sentBundle({ trustDomain, version }: Bundle): Sent {
  return { name: `spiffe://${trustDomain}`, kind: 'bundle', version };
}

function keyOf(sent: readonly Sent[]): string {
  return sent.map(({ name, version }) => `${name}=${version}`).join('\n');
}

function byTrustDomain(bundles: readonly Bundle[]): Record<string, Buffer> {
  return Object.fromEntries(bundles.map((bundle) => [`spiffe://${bundle.trustDomain}`, derOf(bundle)]));
}

function derOf(bundle: Bundle): Buffer {
  return Buffer.concat(bundle.authorities.map(({ der }) => der));
}
