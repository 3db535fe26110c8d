export { type DiscoveryLimits, defaultDiscoveryLimits } from './limits.ts';
export { createDiscoveryService, type DiscoveryServiceOptions } from './service.ts';
