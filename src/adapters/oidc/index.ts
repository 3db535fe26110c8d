export { createTokenVerifier, type OidcProvider } from './token-verifier.ts';
