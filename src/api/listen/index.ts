export { cannotListen, type ListenAddress } from './address.ts';
export { createRateLimiter, type RateLimiter } from './rate-limiter.ts';
export { createRefusals, type Refusal, rememberedPeers } from './refusals.ts';
export { tlsContextOf } from './tls.ts';
