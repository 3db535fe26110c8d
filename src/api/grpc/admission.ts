import {
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import { createRateLimiter, createRefusals, type Refusal, rememberedPeers } from '../listen/index.ts';

export interface AdmissionOptions {
  readonly callsPerSecondPerPeer: number;
  /** Milliseconds in which a unary call's request must have arrived. */
  readonly requestTimeout: number;
  readonly onRefused: (refusal: Refusal) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export interface Admission {
  readonly interceptor: ServerInterceptor;
  refuse(refusal: Omit<Refusal, 'notable'>): void;
}

/** Counts and bounds what comes in, before a service spends anything on it. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { callsPerSecondPerPeer, requestTimeout, onRefused, now } = options;
  const calls = createRateLimiter({
    perSecond: callsPerSecondPerPeer,
    burst: Math.max(1, callsPerSecondPerPeer),
    keys: rememberedPeers,
  });
  const refuse = createRefusals(onRefused, now);

  const interceptor: ServerInterceptor = (method, call) => {
    const peer = call.getConnectionInfo().remoteAddress ?? 'unknown';
    let settled = method.requestStream;
    let timer: NodeJS.Timeout | undefined;
    const settle = () => {
      clearTimeout(timer);
      settled = true;
    };
    const endedEarly = () => {
      if (settled) return;
      settle();
      refuse({ kind: 'incomplete', peer, method: method.path });
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (!calls.take(peer, now())) {
          settle();
          refuse({ kind: 'rate', peer, method: method.path });
          call.sendStatus({
            code: status.RESOURCE_EXHAUSTED,
            details: 'too many calls from this address; try again later',
          });
          return;
        }
        if (!settled) {
          timer = setTimeout(() => {
            call.sendStatus({
              code: status.DEADLINE_EXCEEDED,
              details: 'the request did not arrive in time',
            });
          }, requestTimeout);
        }
        next(metadata);
      })
      .withOnReceiveMessage((message, next) => {
        settle();
        next(message);
      })
      .withOnCancel(endedEarly)
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((ended, next) => {
        endedEarly();
        next(ended);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
  return { interceptor, refuse };
}
