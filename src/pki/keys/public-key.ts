import { DerReader } from '../der/index.ts';
import {
  type AlgorithmSpec,
  algorithms,
  ecPublicKeyOid,
  encodeSpki,
  type KeyAlgorithm,
} from './algorithms.ts';
import { checkEd25519Point, checkRsaKey } from './weak-keys.ts';

/** A public key that has been read strictly and is not weak. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** What the BIT STRING of the SPKI holds: the uncompressed point, the RSAPublicKey, the octets of Ed25519 or ML-DSA. */
  readonly keyBits: Uint8Array;
}

const fixedLength = (['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'ml-dsa-65'] as const).map((name) => {
  const spec = algorithms[name];
  const length = spec.publicKeyLength ?? 0;
  return { spec, length, prefix: encodeSpki(name, new Uint8Array(length)).subarray(0, -length) };
});

/**
 * Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). Whether a point is on its curve is found out when it is imported.
 * @param spki exactly one DER element
 * @throws CitadelError InvalidArgument: malformed, of an algorithm that is not offered, or weak
 */
export function readPublicKey(spki: Uint8Array, subject = 'public key'): PublicKey {
  const bytes = Buffer.isBuffer(spki) ? spki : Buffer.from(spki.buffer, spki.byteOffset, spki.length);
  // All keys of one curve share everything before the point, so that one comparison reads the whole structure.
  for (const { spec, length, prefix } of fixedLength) {
    if (
      bytes.length === prefix.length + length &&
      bytes.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
    ) {
      return checked({ algorithm: spec.name, spki: bytes, keyBits: bytes.subarray(prefix.length) }, subject);
    }
  }
  return readOther(bytes, subject);
}

/** The algorithm of a SubjectPublicKeyInfo. @throws CitadelError InvalidArgument, as readPublicKey does */
export function publicKeyAlgorithm(spki: Uint8Array): KeyAlgorithm {
  return readPublicKey(spki).algorithm;
}

function checked(key: PublicKey, subject: string): PublicKey {
  const reader = DerReader.over(key.keyBits, subject);
  const { family } = algorithms[key.algorithm];
  if (family === 'ed25519') checkEd25519Point(key.keyBits, reader);
  else if (family === 'ec' && key.keyBits[0] !== 4)
    throw reader.malformed('the point is not in uncompressed form (04 || x || y)');
  return key;
}

function readOther(bytes: Buffer, subject: string): PublicKey {
  const outer = DerReader.over(bytes, subject);
  const info = outer.sequence('the public key');
  outer.finish('the public key');
  const start = info.position;
  const identifier = info.sequence("the public key's algorithm");
  const identifierBytes = bytes.subarray(start, info.position);
  const keyBits = info.octetAlignedBits('the public key');
  info.finish('the public key');
  const known = fixedLength.find(({ spec }) => spec.keyIdentifier.equals(identifierBytes));
  if (known) throw wrongLength(outer, known.spec, keyBits);
  if (algorithms['rsa-2048'].keyIdentifier.equals(identifierBytes)) {
    return { algorithm: checkRsaKey(keyBits, subject), spki: bytes, keyBits };
  }
  const oid = identifier.element(0x06, "the public key's algorithm");
  throw outer.malformed(
    oid.equals(ecPublicKeyOid)
      ? 'the curve must be P-256 or P-384, given by name'
      : 'the public key must be ECDSA P-256 or P-384, Ed25519, RSA of 2048, 3072 or 4096 bits, or ML-DSA-65',
  );
}

function wrongLength(reader: DerReader, spec: AlgorithmSpec, keyBits: Buffer): Error {
  if (spec.family === 'ec' && (keyBits[0] === 2 || keyBits[0] === 3)) {
    return reader.malformed('the point is compressed; send it uncompressed (04 || x || y)');
  }
  return reader.malformed(`the public key does not have the length that ${spec.name} has`);
}
