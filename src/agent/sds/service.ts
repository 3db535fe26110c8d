import { createHash } from 'node:crypto';
import type { ServerDuplexStream, ServerErrorResponse } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { secretTypeUrl } from '../../domain/ports/index.ts';
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  type DiscoveryRequest,
  DiscoveryResponse,
} from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { SecretDiscoveryServiceServer } from '../../gen/envoy/service/secret/v3/sds.ts';
import type { Clock, Log } from '../../kernel/index.ts';
import type { ConsumerRecord } from '../consumers.ts';
import type { IdentityState } from '../identity/state.ts';
import { lookupSecret, type SecretResource } from './secret.ts';
import { maxNames, type Push, SecretSubscription } from './subscription.ts';

export interface SdsDependencies {
  readonly state: IdentityState;
  readonly clock: Clock;
  readonly log: Log;
  /** The consumer at the other end of a call; undefined when its connection is gone. */
  readonly consumerOf: (peer: string) => ConsumerRecord | undefined;
  /** Called after a push, so that somebody looks whether it comes into use. */
  readonly onPush?: () => void;
}

interface Answer {
  readonly typeUrl: string;
  readonly responseNonce: string;
  readonly errorDetail: { readonly message: string } | undefined;
}

/** Envoy's secret discovery service (SDS v3) over what the agent has. */
export function createSecretDiscovery(dependencies: SdsDependencies): SecretDiscoveryServiceServer {
  return {
    streamSecrets: (call) => {
      serveStream(call, dependencies, {
        update: (subscription, request: DiscoveryRequest) => {
          const fresh = request.responseNonce === '' || subscription.isCurrent(request.responseNonce);
          if (!fresh) return true;
          const wanted = new Set(request.resourceNames);
          subscription.remove([...subscription.names].filter((name) => !wanted.has(name)));
          return subscription.add(request.resourceNames);
        },
        // Without a wildcard a response speaks only of what is in it: an unknown name is answered by its absence.
        render: (push) => (push.resources.length === 0 ? undefined : renderAll(push)),
      });
    },
    deltaSecrets: (call) => {
      serveStream(call, dependencies, {
        update: (subscription, request: DeltaDiscoveryRequest) => {
          // A name subscribed to again is sent again (xDS: the client may have dropped it).
          subscription.remove(request.resourceNamesSubscribe);
          subscription.remove(request.resourceNamesUnsubscribe);
          const allowed = subscription.add(request.resourceNamesSubscribe);
          if (request.responseNonce === '') subscription.assume(request.initialResourceVersions);
          return allowed;
        },
        render: renderDelta,
      });
    },
    fetchSecrets: (call, callback) => {
      const { typeUrl, resourceNames } = call.request;
      const invalid = checkType(typeUrl) ?? checkCount(resourceNames.length);
      if (invalid) return callback(invalid);
      const { state, clock, log } = dependencies;
      const found: SecretResource[] = [];
      for (const name of new Set(resourceNames)) {
        const secret = lookupSecret(state.snapshot, name, clock.now());
        if (secret === 'pending') {
          return callback({ code: status.UNAVAILABLE, details: 'there is no certificate yet; try again' });
        }
        if (secret === 'unknown') warnUnknown(log, name);
        else found.push(secret);
      }
      const consumer = dependencies.consumerOf(call.getPeer());
      for (const { name, kind, version } of found) consumer?.sent(name, kind, version);
      callback(null, renderAll({ nonce: '1', resources: found, removed: [] }));
    },
  };
}

interface Variant<Request, Response> {
  /** Takes a request's names. @returns false when there are too many */
  update(subscription: SecretSubscription, request: Request): boolean;
  render(push: Push): Response | undefined;
}

function serveStream<Request extends Answer, Response>(
  call: ServerDuplexStream<Request, Response>,
  { state, clock, log, consumerOf, onPush }: SdsDependencies,
  variant: Variant<Request, Response>,
): void {
  const consumer = consumerOf(call.getPeer());
  if (consumer === undefined) {
    call.emit('error', asError({ code: status.UNAVAILABLE, details: 'the connection is closing' }));
    return;
  }
  const subscription = new SecretSubscription(consumer);
  const push = () => {
    const next = subscription.next(state.snapshot, clock.now());
    if (next === undefined) return;
    for (const name of next.removed) warnUnknown(log, name, consumer.id);
    const response = variant.render(next);
    if (response === undefined) return;
    call.write(response);
    subscription.pushed(next);
    log.debug('secrets pushed', { consumer: consumer.id, names: next.resources.map(({ name }) => name) });
    onPush?.();
  };
  const unsubscribe = state.subscribe(push);
  const end = () => {
    unsubscribe();
  };
  call.on('data', (request: Request) => {
    const invalid = checkType(request.typeUrl);
    if (invalid) {
      end();
      call.emit('error', invalid);
      return;
    }
    const nack = subscription.answer(request.responseNonce, request.errorDetail?.message);
    if (nack !== undefined)
      log.error('a consumer refused its secrets (NACK)', { consumer: consumer.id, reason: nack });
    if (variant.update(subscription, request)) {
      push();
      return;
    }
    end();
    call.emit('error', checkCount(maxNames + 1));
  });
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('close', end);
  call.on('error', end);
}

function renderAll({ nonce, resources }: Push): DiscoveryResponse {
  return DiscoveryResponse.create({
    versionInfo: versionOf(resources),
    typeUrl: secretTypeUrl,
    nonce,
    resources: resources.map(({ any }) => any),
  });
}

function renderDelta({ nonce, resources, removed }: Push): DeltaDiscoveryResponse {
  return DeltaDiscoveryResponse.create({
    systemVersionInfo: versionOf(resources),
    typeUrl: secretTypeUrl,
    nonce,
    resources: resources.map(({ name, content, any }) => ({ name, version: content, resource: any })),
    removedResources: [...removed],
  });
}

/** Of one resource its own version, so that Envoy's config dump says it in our words. */
function versionOf(resources: readonly SecretResource[]): string {
  const [only, ...others] = resources;
  if (only !== undefined && others.length === 0) return only.content;
  const text = resources.map(({ name, content }) => `${name}=${content}`).join('\n');
  return createHash('sha256').update(text).digest('hex');
}

function checkType(typeUrl: string): ServerErrorResponse | undefined {
  if (typeUrl === '' || typeUrl === secretTypeUrl) return undefined;
  return asError({ code: status.INVALID_ARGUMENT, details: `this service serves ${secretTypeUrl} alone` });
}

function checkCount(count: number): ServerErrorResponse | undefined {
  if (count <= maxNames) return undefined;
  return asError({
    code: status.RESOURCE_EXHAUSTED,
    details: `a stream may ask for ${maxNames} names at most`,
  });
}

function asError(response: { code: status; details: string }): Error & { code: status; details: string } {
  return Object.assign(new Error(response.details), response);
}

function warnUnknown(log: Log, name: string, consumer?: string): void {
  log.warn('a consumer asked for a secret that does not exist', { name: name.slice(0, 256), consumer });
}
