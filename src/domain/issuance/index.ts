export {
  createLeafService,
  type IssuedCertificate,
  type LeafRequest,
  type LeafService,
} from './leaf-service.ts';
export { reconcileIntents } from './reconcile.ts';
export { isServersOwn } from './servers-own.ts';
export {
  type CertificateCall,
  createIssuanceService,
  type IssuanceService,
  type IssuanceServiceOptions,
} from './service.ts';
export { decideValidity, type Validity, type ValidityPolicy } from './validity.ts';
