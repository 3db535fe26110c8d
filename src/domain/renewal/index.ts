export { type SigningLoad, SigningMeter } from './load.ts';
export type { HeldLeaf } from './plan.ts';
export {
  createRenewalService,
  heldLeaf,
  type ReKeyProgress,
  type RenewalListener,
  type RenewalService,
} from './service.ts';
export type { RenewalWindow } from './window.ts';
