import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { boolean, integer, oid, sequence, tlv } from './der-writer.ts';

/** Names by form, in a list: `{ uri }`, `{ dns }` and `{ email }` as text, `{ ip }` and `{ directory }` as hex. */
export type Names = readonly Readonly<Record<string, string>>[];

/** A certificate by description, as the vectors have it; see vectors/x509-svid.json. */
export interface Description {
  readonly kind: 'root' | 'intermediate' | 'leaf';
  readonly issuer?: string;
  /** `p256`, or `p256#name` for the key of the certificate of that name. */
  readonly key?: string;
  readonly subject?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number } | null;
  readonly keyUsage?: readonly string[] | null;
  readonly keyUsageCritical?: boolean;
  readonly extendedKeyUsage?: readonly string[] | null;
  readonly names?: Names | null;
  readonly namesCritical?: boolean;
  readonly permitted?: Names;
  readonly excluded?: Names;
  readonly more?: readonly { readonly oid: string; readonly critical: boolean; readonly hex: string }[];
}

// WebCrypto binds an RSA key to its hash, so that a key type stands for the hash of what it signs as well.
const rsa = (modulusLength: number, hash = 'SHA-256') => ({
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash,
});

const keyAlgorithms: Readonly<
  Record<
    string,
    webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | { name: 'Ed25519' | 'ML-DSA-65' }
  >
> = {
  p256: { name: 'ECDSA', namedCurve: 'P-256' },
  p384: { name: 'ECDSA', namedCurve: 'P-384' },
  p521: { name: 'ECDSA', namedCurve: 'P-521' },
  ed25519: { name: 'Ed25519' },
  mldsa65: { name: 'ML-DSA-65' },
  rsa2048: rsa(2048),
  rsa1024: rsa(1024),
  rsa2048sha1: rsa(2048, 'SHA-1'),
};

const forms: Readonly<Record<string, { readonly tag: number; readonly encoding: BufferEncoding }>> = {
  email: { tag: 0x81, encoding: 'latin1' },
  dns: { tag: 0x82, encoding: 'latin1' },
  directory: { tag: 0xa4, encoding: 'hex' },
  uri: { tag: 0x86, encoding: 'latin1' },
  ip: { tag: 0x87, encoding: 'hex' },
};

const usageBits: Readonly<Record<string, number>> = {
  digitalSignature: 7,
  keyEncipherment: 5,
  keyAgreement: 3,
  keyCertSign: 2,
  cRLSign: 1,
};

const purposes: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
};

// RSA keys take long to make and carry no state: one a type and name serves all cases.
const rsaKeys = new Map<string, Promise<webcrypto.CryptoKeyPair>>();

/** Makes certificates with fresh keys; times are hours from `epoch`. */
export class CertificateMaker {
  readonly epoch: Date;
  readonly #keys = new Map<string, Promise<webcrypto.CryptoKeyPair>>();
  readonly #made = new Map<string, x509.X509Certificate>();
  readonly #keyNames = new Map<string, string>();
  #serial = 1;

  constructor(epoch: Date) {
    this.epoch = epoch;
  }

  /** Makes the certificate `name`; its issuer must have been made before. @returns its DER. */
  async make(name: string, description: Description): Promise<Buffer> {
    const { kind, issuer = name } = description;
    const keyName = keyNameOf(name, description.key ?? 'p256');
    this.#keyNames.set(name, keyName);
    const { publicKey } = await this.#key(keyName);
    const signer = await this.#key(this.#keyNames.get(issuer) ?? keyName);
    const subject = description.subject ?? (kind === 'leaf' ? '' : `CN=${name}`);
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: (this.#serial++).toString(16).padStart(4, '10'),
        subject,
        issuer: this.#made.get(issuer)?.subjectName ?? subject,
        notBefore: this.at(description.notBefore ?? -1),
        notAfter: this.at(description.notAfter ?? (kind === 'leaf' ? 24 : 8760)),
        publicKey,
        signingKey: signer.privateKey,
        signingAlgorithm: { name: signer.privateKey.algorithm.name, hash: 'SHA-256' },
        extensions: extensionsOf(description),
      },
      webcrypto,
    );
    this.#made.set(name, certificate);
    return Buffer.from(certificate.rawData);
  }

  /** Signs `data` with the key of the certificate `name`, as its key type has it. */
  async sign(name: string, data: Uint8Array): Promise<Buffer> {
    const { privateKey } = await this.#key(this.#keyNames.get(name) ?? '');
    return Buffer.from(
      await webcrypto.subtle.sign(privateKey.algorithm.name, privateKey, new Uint8Array(data)),
    );
  }

  at(hours: number): Date {
    return new Date(this.epoch.getTime() + hours * 3_600_000);
  }

  #key(name: string): Promise<webcrypto.CryptoKeyPair> {
    const keys = name.startsWith('rsa') ? rsaKeys : this.#keys;
    const known = keys.get(name);
    if (known !== undefined) return known;
    const algorithm = keyAlgorithms[name.split('#')[0] ?? ''];
    if (algorithm === undefined) throw new Error(`unknown key type in ${name}`);
    const pair = generate(algorithm);
    keys.set(name, pair);
    return pair;
  }
}

async function generate(
  algorithm: NonNullable<(typeof keyAlgorithms)[string]>,
): Promise<webcrypto.CryptoKeyPair> {
  const pair = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('not a key pair');
  return pair;
}

function keyNameOf(name: string, key: string): string {
  return key.includes('#') ? key : `${key}#${name}`;
}

function extensionsOf(description: Description): x509.Extension[] {
  const ca = description.kind !== 'leaf';
  const {
    basicConstraints = { ca },
    keyUsage = ca ? ['keyCertSign', 'cRLSign'] : ['digitalSignature'],
    keyUsageCritical = true,
    extendedKeyUsage = ca ? null : ['serverAuth', 'clientAuth'],
    names = ca ? null : [{ uri: 'spiffe://example.org/web' }],
    namesCritical = description.kind === 'leaf' && description.subject === undefined,
    permitted = [],
    excluded = [],
    more = [],
  } = description;
  const extensions: x509.Extension[] = [];
  const add = (id: string, critical: boolean, value: Uint8Array): void => {
    extensions.push(new x509.Extension(id, critical, value));
  };
  if (basicConstraints !== null) {
    const { pathLength } = basicConstraints;
    const fields = basicConstraints.ca ? [boolean(true)] : [];
    add('2.5.29.19', true, sequence(...fields, ...(pathLength === undefined ? [] : [integer(pathLength)])));
  }
  if (keyUsage !== null) add('2.5.29.15', keyUsageCritical, encodeKeyUsage(keyUsage));
  if (extendedKeyUsage !== null) {
    add('2.5.29.37', false, sequence(...extendedKeyUsage.map((usage) => oid(purposes[usage] ?? usage))));
  }
  if (names !== null) add('2.5.29.17', namesCritical, sequence(...names.map(encodeName)));
  if (permitted.length + excluded.length > 0) {
    add('2.5.29.30', true, sequence(...encodeSubtrees(0xa0, permitted), ...encodeSubtrees(0xa1, excluded)));
  }
  for (const { oid: id, critical, hex } of more) add(id, critical, Buffer.from(hex, 'hex'));
  return extensions;
}

function encodeKeyUsage(usages: readonly string[]): Buffer {
  const bits = usages.map((usage) => usageBits[usage] ?? 0);
  return tlv(0x03, Buffer.from([Math.min(...bits), bits.reduce((all, bit) => all | (1 << bit), 0)]));
}

function encodeName(name: Names[number]): Buffer {
  const [form = '', text = ''] = Object.entries(name)[0] ?? [];
  const found = forms[form];
  if (found === undefined) throw new Error(`unknown form of name: ${form}`);
  return tlv(found.tag, Buffer.from(text, found.encoding));
}

function encodeSubtrees(tag: number, bases: Names): Buffer[] {
  return bases.length === 0 ? [] : [tlv(tag, ...bases.map((base) => sequence(encodeName(base))))];
}
