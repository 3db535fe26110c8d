export { createEnvoyRenderer } from './renderer.ts';
