export {
  createOperatorAccess,
  type OperatorAccess,
  type OperatorAccessOptions,
  type OperatorCaller,
} from './access.ts';
export {
  type OperatorAuthenticationOptions,
  type OperatorCredentials,
  type OperatorIdentity,
  type OperatorTokenVerifier,
  operatorPath,
} from './authenticate.ts';
export {
  type BrowserProof,
  type BrowserSessionOptions,
  type BrowserSessions,
  type CodeFlow,
  createBrowserSessions,
  type PendingSignIn,
  type SignInAnswer,
} from './browser.ts';
export {
  type CredentialOptions,
  createOneTimeCredential,
  ensureFirstOperatorCredential,
} from './credential.ts';
export {
  createEnrolment,
  type EnrolmentOptions,
  type EnrolmentRequest,
  type EnrolOperator,
  type OperatorCertificateRequest,
} from './enrolment.ts';
export { meets, methodRequirements, type OperatorMethod, type Requirement } from './roles.ts';
export { type SessionLimits, Sessions } from './sessions.ts';
