export { chainToRoot, signatureScheme, verifyIssuedBy } from './chain.ts';
export { readExtensions } from './extensions.ts';
export { ipAddressOctets } from './ip-address.ts';
export { encodeCommonName, readName } from './name.ts';
export {
  extendedKeyUsageOids,
  extensionOids,
  extensionRequestKey,
  extensionRequestOid,
  type KeyUsage,
  keyUsageBits,
  oidKey,
} from './oids.ts';
export { type ParsedCertificate, parseCertificate } from './parse.ts';
export {
  type CertificateFields,
  readTbs,
  splitCertificate,
  type TbsFields,
} from './read.ts';
