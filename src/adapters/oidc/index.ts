export { type CodeFlowOptions, createCodeFlow } from './code-flow.ts';
export type { OidcProvider } from './provider.ts';
export { createTokenVerifier } from './token-verifier.ts';
