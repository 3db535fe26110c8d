import { DerReader } from '../der/index.ts';
import type { KeyAlgorithm } from './algorithms.ts';

const modulusAlgorithms: ReadonlyMap<number, KeyAlgorithm> = new Map([
  [2048, 'rsa-2048'],
  [3072, 'rsa-3072'],
  [4096, 'rsa-4096'],
]);

/**
 * Reads an RSAPublicKey (RFC 8017, A.1.1) and refuses weak ones: other sizes, exponents below 65537 or even (SP 800-56B,
 * 6.2), exponents above 2^31-1 that other implementations cannot use, moduli with a small factor, and those of the
 * generator that leaks its primes (ROCA, CVE-2017-15361).
 */
export function checkRsaKey(keyBits: Uint8Array, subject: string): KeyAlgorithm {
  const outer = DerReader.over(keyBits, subject);
  const key = outer.sequence('the RSA key');
  outer.finish('the RSA key');
  const modulus = key.positiveInteger('the RSA modulus');
  const exponentOctets = key.positiveInteger('the RSA exponent');
  key.finish('the RSA key');
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24);
  const algorithm = modulusAlgorithms.get(bits);
  if (!algorithm) throw outer.malformed(`the RSA key has ${bits} bits; it must have 2048, 3072 or 4096`);
  const exponent = exponentOctets.length > 4 ? Infinity : exponentOctets.readUIntBE(0, exponentOctets.length);
  if (exponent % 2 !== 1 || exponent <= 65_536 || exponent > 0x7fff_ffff) {
    throw outer.malformed('the RSA exponent must be odd and from 65537 to 2^31-1');
  }
  if (isWeakModulus(BigInt(`0x${modulus.toString('hex')}`))) {
    throw outer.malformed('the RSA modulus is one that can be factored; make a new key');
  }
  return algorithm;
}

const smallPrimes = sieve(752);
const smallProduct = smallPrimes.reduce((product, prime) => product * BigInt(prime), 1n);
const rocaPrimes = smallPrimes.filter((prime) => prime <= 167);

/** For each prime, the residues that powers of 65537 take: a ROCA modulus takes no other, by any of the primes. */
const rocaResidues = new Map(rocaPrimes.map((prime) => [prime, powers(65_537 % prime, prime)]));

/** Whether the modulus has a prime factor up to 751 or the fingerprint of ROCA (Nemec and others, 2017, section 2.2). */
export function isWeakModulus(modulus: bigint): boolean {
  // One division of the long number; the rest is done on its remainder.
  const remainder = modulus % smallProduct;
  if (smallPrimes.some((prime) => remainder % BigInt(prime) === 0n)) return true;
  return rocaPrimes.every((prime) => rocaResidues.get(prime)?.has(Number(remainder % BigInt(prime))));
}

function sieve(limit: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; candidate < limit; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

function powers(base: number, prime: number): ReadonlySet<number> {
  const residues = new Set<number>();
  for (let power = 1; !residues.has(power); power = (power * base) % prime) residues.add(power);
  return residues;
}

/** 2^255 - 19. */
const fieldPrime = 2n ** 255n - 19n;
const smallOrderHex = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a';

/** y of the points of order 1, 2, 4 and 8 on edwards25519. */
const smallOrderY: ReadonlySet<bigint> = new Set([
  1n,
  fieldPrime - 1n,
  0n,
  littleEndian(Buffer.from(smallOrderHex, 'hex')),
  fieldPrime - littleEndian(Buffer.from(smallOrderHex, 'hex')),
]);

/** A point of small order verifies signatures that nobody's private key made; a y of 2^255-19 or more is not canonical (RFC 8032, 5.1.3). */
export function checkEd25519Point(point: Uint8Array, reader: DerReader): void {
  const y = littleEndian(point) & (2n ** 255n - 1n);
  if (y >= fieldPrime) throw reader.malformed('the Ed25519 point is not in canonical form');
  if (smallOrderY.has(y)) throw reader.malformed('the Ed25519 point is of small order');
}

function littleEndian(octets: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(octets).reverse().toString('hex')}`);
}
