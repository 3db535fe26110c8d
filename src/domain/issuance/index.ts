export { type IssuanceMetrics, noIssuanceMetrics } from './metrics.ts';
export { reconcileIntents } from './reconcile.ts';
export {
  type CertificateCall,
  createIssuanceService,
  type IssuanceService,
  type IssuanceServiceOptions,
  type IssuedCertificate,
} from './service.ts';
export { decideValidity, type Validity, type ValidityPolicy } from './validity.ts';
