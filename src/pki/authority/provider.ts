import type { webcrypto } from 'node:crypto';
import { Crypto } from '@peculiar/webcrypto';
import { CitadelError } from '../../kernel/index.ts';
import { DerReader } from '../der/index.ts';
import { type AlgorithmSpec, algorithms, type CertificateSigner } from '../keys/index.ts';

/**
 * The WebCrypto that the X.509 libraries are given, so that they neither use nor change the process's global one.
 */
export const provider = new Crypto();

/** A WebCrypto in which one private key is a handle whose signatures come from its home: the key itself never appears. */
export interface SigningProvider {
  readonly crypto: webcrypto.Crypto;
  readonly privateKey: webcrypto.CryptoKey;
  readonly signingAlgorithm: AlgorithmSpec['webCrypto']['sign'];
}

export function signingProvider(signer: CertificateSigner): SigningProvider {
  const { webCrypto, coordinateLength } = algorithms[signer.algorithm];
  const privateKey: webcrypto.CryptoKey = {
    type: 'private',
    extractable: false,
    usages: ['sign'],
    algorithm: { ...webCrypto.key },
  };
  const subtle = new Proxy(provider.subtle, {
    get(target, property) {
      if (property === 'sign') {
        return async (_algorithm: unknown, key: webcrypto.CryptoKey, data: Uint8Array | ArrayBuffer) => {
          if (key !== privateKey)
            throw new CitadelError('Internal', 'a key that this provider does not hold');
          const signature = await signer.sign(
            new Uint8Array(data instanceof ArrayBuffer ? data : data.slice()),
          );
          return coordinateLength === undefined ? signature : rawEcdsaSignature(signature, coordinateLength);
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const crypto: webcrypto.Crypto = {
    subtle,
    getRandomValues: (array) => provider.getRandomValues(array),
    randomUUID: () => provider.randomUUID(),
  };
  return { crypto, privateKey, signingAlgorithm: webCrypto.sign };
}

/** From X.509's SEQUENCE of r and s (RFC 3279, 2.2.3) to WebCrypto's r || s. */
function rawEcdsaSignature(der: Uint8Array, coordinateLength: number): Uint8Array<ArrayBuffer> {
  const outer = DerReader.over(der, 'signature');
  const pair = outer.sequence('the signature');
  outer.finish('the signature');
  const raw = new Uint8Array(2 * coordinateLength);
  for (const end of [coordinateLength, 2 * coordinateLength]) {
    const number = pair.positiveInteger('the signature');
    if (number.length > coordinateLength) throw pair.malformed('its numbers are too long');
    raw.set(number, end - number.length);
  }
  pair.finish('the signature');
  return raw;
}
