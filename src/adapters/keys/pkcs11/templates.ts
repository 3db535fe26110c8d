import type { Template } from 'pkcs11js';
import type { PrivatePart } from './protocol.ts';

// Numbers of PKCS #11 2.40.
export const attribute = {
  class: 0x00,
  token: 0x01,
  private: 0x02,
  label: 0x03,
  value: 0x11,
  keyType: 0x100,
  id: 0x102,
  sensitive: 0x103,
  sign: 0x108,
  verify: 0x10a,
  modulus: 0x120,
  modulusBits: 0x121,
  publicExponent: 0x122,
  privateExponent: 0x123,
  prime1: 0x124,
  prime2: 0x125,
  exponent1: 0x126,
  exponent2: 0x127,
  coefficient: 0x128,
  extractable: 0x162,
  ecParams: 0x180,
  ecPoint: 0x181,
} as const;
export const objectClass = { publicKey: 0x02, privateKey: 0x03 } as const;

export function ownClass(kind: number): Template {
  return [
    { type: attribute.class, value: kind },
    { type: attribute.token, value: true },
  ];
}

export function names(label: string): Template {
  const name = Buffer.from(label);
  return [
    { type: attribute.label, value: name },
    { type: attribute.id, value: name },
  ];
}

export function publicTemplate(label: string): Template {
  return [
    { type: attribute.token, value: true },
    { type: attribute.private, value: false },
    { type: attribute.verify, value: true },
    ...names(label),
  ];
}

export function privateTemplate(label: string): Template {
  return [
    { type: attribute.token, value: true },
    { type: attribute.private, value: true },
    { type: attribute.sensitive, value: true },
    { type: attribute.extractable, value: false },
    { type: attribute.sign, value: true },
    ...names(label),
  ];
}

/** The attributes of a key made elsewhere: those of its public part, and those of its private part. */
export function partsOf(key: PrivatePart): { readonly shared: Template; readonly secret: Template } {
  const bytes = (type: number, value: Uint8Array) => ({ type, value: Buffer.from(value) });
  if (key.kind === 'point') {
    const curve = bytes(attribute.ecParams, key.curve);
    return {
      shared: [curve, bytes(attribute.ecPoint, key.point)],
      secret: [curve, bytes(attribute.value, key.value)],
    };
  }
  const shared = [bytes(attribute.modulus, key.modulus), bytes(attribute.publicExponent, key.exponent)];
  return {
    shared,
    secret: [
      ...shared,
      bytes(attribute.privateExponent, key.privateExponent),
      bytes(attribute.prime1, key.primes[0]),
      bytes(attribute.prime2, key.primes[1]),
      bytes(attribute.exponent1, key.exponents[0]),
      bytes(attribute.exponent2, key.exponents[1]),
      bytes(attribute.coefficient, key.coefficient),
    ],
  };
}
