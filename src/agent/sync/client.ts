import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Consumer } from '../../domain/ports/index.ts';
import { AgentServiceClient, SyncRequest, type SyncResponse } from '../../gen/citadel/v1/agent.ts';
import {
  backoffDelay,
  type CitadelError,
  type Clock,
  describeError,
  type Entropy,
  type Log,
} from '../../kernel/index.ts';
import type { EnvoyReading } from '../envoy/counters.ts';
import { channelOptions, channelTarget, serverCredentials } from '../identity/channel.ts';
import { fromServiceError } from '../identity/grpc-errors.ts';
import { type AgentSnapshot, type Identity, ownBundle } from '../identity/identity.ts';
import type { RenewalWindow } from '../identity/renewal.ts';
import type { ServerRoots } from '../identity/server-trust.ts';
import type { IdentityState } from '../identity/state.ts';
import { type AgentOptions, defaults } from '../options.ts';
import { readBundleSet, renderEnvoyReport, renderReport } from './messages.ts';

export interface SyncDependencies {
  readonly options: AgentOptions;
  readonly agentVersion: string;
  readonly roots: ServerRoots;
  readonly state: IdentityState;
  readonly consumers: {
    list(): readonly Consumer[];
    crlVersion(): string;
    subscribe(listener: () => void): () => void;
  };
  /** Of the Envoy beside it, where there is one. */
  readonly counters?: { subscribe(listener: (counters: EnvoyReading) => void): () => void };
  readonly rotation: { setWindow(window: RenewalWindow | undefined): void; renewNow(): void };
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Changes within this time make one report. */
const reportQuiet = 200;
/** A server without this service is asked again now and then: it may have been replaced. */
const unimplementedPause = 600_000;
/** A certificate is not ordered away sooner than this after its issuance, whatever the server says. */
const shortestLife = 5_000;
/** A stream that lived this long was a success: the back-off begins anew. */
const healthyAfter = 10_000;

/** How long the stream of a certificate that was replaced waits for the next one to stand. */
const longestHandover = 10_000;

/** How a stream came to its end, and what ends it where it still stands. */
interface Held {
  readonly failure: CitadelError | undefined;
  readonly end: () => void;
}

const nothing = (): void => undefined;

type Stream = ClientDuplexStream<SyncRequest, SyncResponse>;

/**
 * Holds citadel.v1.AgentService/Sync with our own certificate, a new stream for each new certificate. The agent does
 * its work without it; what it brings is newer roots, a renewal window, an order to re-key.
 */
export class SyncClient {
  readonly #deps: SyncDependencies;
  /** The last set, and our own trust domain's bundle in it: a newer one may come with a certificate. */
  #set: { readonly version: string; readonly own: string | undefined } | undefined;
  #reported = '';
  #reportSoon: () => void = nothing;
  /** The last one that is to be replaced at the server's word. */
  #outgoing: Identity | undefined;
  /** Certificates that the server refused, one after the other. */
  #refused = 0;

  constructor(dependencies: SyncDependencies) {
    this.#deps = dependencies;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { state, clock, entropy, log, options } = this.#deps;
    let attempt = 0;
    let former = nothing;
    while (!signal.aborted) {
      const identity = await nextIdentity(state, undefined, signal);
      if (identity === undefined) return former();
      const openedAt = clock.now().getTime();
      const { failure, end } = await this.#hold(identity, former, signal);
      former = end;
      if (signal.aborted) return former();
      if (clock.now().getTime() - openedAt > healthyAfter) attempt = 0;
      if (failure === undefined) {
        // The server gave us a certificate meanwhile: it is well.
        attempt = 0;
        continue;
      }
      if (identity.notAfter <= clock.now()) {
        // No stream is to be had with it: what is asked for in vain is taken from those that renew.
        log.info('the Sync stream waits for a certificate that is valid', { reason: failure.message });
        await nextIdentity(state, identity, signal);
        attempt = 0;
        continue;
      }
      // It is revoked, or the server knows it no more: waiting helps neither.
      if (failure.code === 'Unauthenticated') this.#replace(identity, signal);
      const known = failure.code !== 'Unimplemented';
      const delay = known
        ? backoffDelay(attempt, options.backoff ?? defaults.backoff, entropy)
        : unimplementedPause;
      attempt += 1;
      log.info(known ? 'the Sync stream ended' : 'the server has no Sync service', {
        code: failure.code,
        reason: failure.message,
        retryInMilliseconds: Math.round(delay),
      });
      await this.#pause(delay, identity, signal);
    }
  }

  /** A new certificate ends a pause early, since it may be what the server wanted. */
  async #pause(delay: number, identity: Identity, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    await Promise.race([
      this.#deps.clock.sleep(delay, either).catch(() => undefined),
      nextIdentity(this.#deps.state, identity, either),
    ]);
    over.abort();
  }

  /**
   * One stream, until it fails or our certificate is replaced; in the latter case it stands until `end` is called, so that
   * the server does not take us for away while the next one is being opened.
   * @param former ends the stream of the certificate before; called once this one stands, or has failed
   */
  async #hold(identity: Identity, former: () => void, signal: AbortSignal): Promise<Held> {
    const { options, roots, state, clock } = this.#deps;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    let end = () => over.abort();
    try {
      const credentials = serverCredentials(await roots(either), identity);
      const client = new AgentServiceClient(channelTarget(options), credentials, channelOptions(options));
      const stream = client.sync();
      end = () => {
        over.abort();
        stream.cancel();
        client.close();
      };
      const failed = new Promise<CitadelError>((resolve) => {
        stream.on('error', (error) => resolve(fromServiceError(error)));
        stream.on('end', () =>
          resolve(fromServiceError({ code: 14, details: 'the server closed the stream' })),
        );
      });
      stream.once('data', former);
      clock.sleep(longestHandover, either).then(former, nothing);
      stream.on('data', (response: SyncResponse) => this.#receive(response, identity, either, signal));
      const stopReporting = this.#report(stream);
      const replaced = nextIdentity(state, identity, either).then(() => undefined);
      const failure = await Promise.race([failed, replaced]);
      stopReporting();
      if (failure !== undefined) end();
      return { failure, end };
    } catch (error) {
      end();
      return { failure: fromServiceError(error), end };
    } finally {
      former();
    }
  }

  #report(stream: Stream): () => void {
    const { agentVersion, state, consumers, counters } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    const send = () => {
      timer = undefined;
      const bundleVersion = this.#bundleVersion();
      this.#reported = bundleVersion;
      stream.write(
        SyncRequest.create({
          report: renderReport(
            agentVersion,
            { bundleVersion, crlVersion: consumers.crlVersion() },
            consumers.list(),
          ),
        }),
      );
    };
    const soon = () => {
      timer ??= setTimeout(send, reportQuiet);
    };
    this.#reportSoon = soon;
    const ends = [consumers.subscribe(soon), state.subscribe(soon)];
    if (counters)
      ends.push(
        counters.subscribe((read) => stream.write(SyncRequest.create({ envoy: renderEnvoyReport(read) }))),
      );
    send();
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }

  /** Of what we hold: of the server's set, or of our own bundle where that did not come with a set. */
  #bundleVersion(): string {
    const own = ownBundle(this.#deps.state.snapshot)?.version;
    return this.#set?.own === own ? (this.#set?.version ?? '') : (own ?? '');
  }

  #receive(
    { bundles, renewal, reKey }: SyncResponse,
    identity: Identity,
    signal: AbortSignal,
    running: AbortSignal,
  ): void {
    const { state, rotation, log } = this.#deps;
    // The answers of an outdated stream are about an outdated certificate.
    if (signal.aborted || state.snapshot.identity !== identity) return;
    if (bundles !== undefined) {
      try {
        const set = readBundleSet(bundles, identity.id.trustDomain.name);
        this.#refused = 0;
        state.setBundles(set);
        this.#set = { version: bundles.version, own: ownBundle(state.snapshot)?.version };
        // What came may be what a certificate's reply has brought before: nothing changes then but its name.
        if (this.#bundleVersion() !== this.#reported) this.#reportSoon();
        log.info('bundle set received', { version: bundles.version, trustDomains: set.length });
      } catch (error) {
        log.error('a bundle set was refused; the one at hand stays', { reason: describeError(error) });
      }
    }
    if (renewal?.start !== undefined && renewal.end !== undefined) {
      rotation.setWindow({ start: renewal.start, end: renewal.end });
    }
    if (reKey !== undefined) {
      log.warn('the server orders a new key', { reason: reKey.reason.slice(0, 256) });
      this.#replace(identity, running);
    }
  }

  /** Once a certificate, also when its stream has ended meanwhile; slower where the server refuses each new one too. */
  #replace(identity: Identity, signal: AbortSignal): void {
    const { state, rotation, clock, entropy, options } = this.#deps;
    if (this.#outgoing === identity) return;
    this.#outgoing = identity;
    const age = clock.now().getTime() - identity.receivedAt.getTime();
    const backoff = options.refusedBackoff ?? defaults.refusedBackoff;
    const again = this.#refused === 0 ? 0 : backoffDelay(this.#refused, backoff, entropy);
    this.#refused += 1;
    const renew = () => (state.snapshot.identity === identity ? rotation.renewNow() : undefined);
    clock.sleep(Math.max(0, shortestLife - age, again), signal).then(renew, nothing);
  }
}

/** Resolves with the identity once it is there and another than `before`; undefined when aborted. */
function nextIdentity(
  state: IdentityState,
  before: Identity | undefined,
  signal: AbortSignal,
): Promise<Identity | undefined> {
  return new Promise((resolve) => {
    const finish = (identity: Identity | undefined) => {
      unsubscribe();
      signal.removeEventListener('abort', stop);
      resolve(identity);
    };
    const stop = () => finish(undefined);
    const look = ({ identity }: AgentSnapshot) => {
      if (identity !== undefined && identity !== before) finish(identity);
    };
    const unsubscribe = state.subscribe(look);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    else look(state.snapshot);
  });
}
