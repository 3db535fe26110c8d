export {
  authorizeIdentity,
  type IdentityDecision,
  type IdentityPolicy,
  impersonationRefused,
} from './authorize.ts';
export {
  type DevelopmentPrincipal,
  describePrincipal,
  isWorkloadPrincipal,
  type KubernetesPrincipal,
  type Principal,
  type SvidPrincipal,
} from './principal.ts';
export { createSvidAttestor } from './svid-attestor.ts';
export { createSvidVerifier, type SvidVerifier, type VerifiedSvid } from './svid-verifier.ts';
