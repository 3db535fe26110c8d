/**
 * A second, light door: what a process needs that asks for certificates and issues none. It loads no X.509 library, which
 * is worth tens of megabytes beside every workload.
 */
export { type ParsedCrl, readCrl } from './crl/index.ts';
export { encodeCertificateRequest, generateRequestKey, type RequestKeyAlgorithm } from './request-encoder.ts';
