export {
  bundleRoots,
  decideIssuing,
  type IssuingAction,
  type IssuingRotationPolicy,
  jitterOf,
} from './decide.ts';
export { type EstablishRootOptions, establishRoot } from './establish-root.ts';
export type { ExistingAuthority, ImportOptions } from './existing.ts';
export { type GivenRoot, type GivenSigner, givenByUpstream } from './given-root.ts';
export { givenByImport, importExistingAuthority } from './import-existing.ts';
export { issuingAlgorithm } from './issuing-algorithm.ts';
export { compromiseActions, noteCompromise } from './note-compromise.ts';
export { authorityRecord } from './record.ts';
export { createRootUpstream } from './root-upstream.ts';
export {
  type ActiveIssuer,
  type AuthorityService,
  type AuthorityServiceOptions,
  createAuthorityService,
} from './service.ts';
export { createTaint, type TaintAuthority, type Tainted } from './taint.ts';
