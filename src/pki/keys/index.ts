export {
  type AlgorithmSpec,
  algorithms,
  classicAlgorithms,
  encodeSpki,
  type KeyAlgorithm,
  keyAlgorithms,
  signatureIdentifiers,
} from './algorithms.ts';
export { derEcdsaSignature } from './ecdsa-signature.ts';
export { generateKeyPair, type KeyPair, readPrivateKey } from './generate.ts';
export { importPublicKey } from './import.ts';
export { keyIdentifier } from './key-id.ts';
export { type PublicKey, publicKeyAlgorithm, readPublicKey } from './public-key.ts';
export { type CertificateSigner, localSigner, type VerifyingKey, verifySignature } from './signer.ts';
export { isWeakModulus } from './weak-keys.ts';
