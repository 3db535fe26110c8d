export { type TrustedDomain, trustOfAll, trustOfOne } from './trust.ts';
