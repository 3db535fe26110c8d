export { createDevelopmentAttestor, type DevelopmentAttestorOptions } from './attestor.ts';
export {
  createDevelopmentTokenIssuer,
  type DevelopmentTokenIssuer,
  type DevelopmentWorkload,
  generateDevelopmentIssuerKeys,
} from './token-issuer.ts';
