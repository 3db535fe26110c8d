export { type DiscoveryLimits, defaultDiscoveryLimits } from './limits.ts';
export { ProxyStreams } from './proxy-streams.ts';
export { createDiscoveryService, type DiscoveryServiceOptions } from './service.ts';
