export {
  createServingCertificateSource,
  type ServingCertificate,
  type ServingCertificateSource,
  type ServingOptions,
} from './source.ts';
