export { cannotListen, type ListenAddress } from './address.ts';
export { ByteBudget, withJsonBody } from './body.ts';
export {
  type HttpsLimits,
  type HttpsListener,
  type HttpsListenerOptions,
  startHttpsListener,
} from './https.ts';
export { createRateLimiter, type RateLimiter } from './rate-limiter.ts';
export { createRefusals, type Refusal, rememberedPeers } from './refusals.ts';
export { type HttpReply, sendReply } from './reply.ts';
export { tlsContextOf } from './tls.ts';
