import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const minute = 60_000;

export interface LeafRequest {
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface IssuedLeaf {
  readonly serial: string;
  /** Leaf and issuing certificate, PEM. */
  readonly chainPem: readonly [string, string];
}

/** A root with an issuing certificate below it, made for one test. It is built by another library than what it tests. */
export class TestAuthority {
  readonly root: x509.X509Certificate;
  readonly #issuing: x509.X509Certificate;
  readonly #issuingKey: webcrypto.CryptoKey;

  private constructor(
    root: x509.X509Certificate,
    issuing: x509.X509Certificate,
    issuingKey: webcrypto.CryptoKey,
  ) {
    this.root = root;
    this.#issuing = issuing;
    this.#issuingKey = issuingKey;
  }

  static async create(trustDomain: string, name = 'test root'): Promise<TestAuthority> {
    x509.cryptoProvider.set(webcrypto);
    const rootKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const issuingKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const validity = {
      notBefore: new Date(Date.now() - 60 * minute),
      notAfter: new Date(Date.now() + 600 * minute),
    };
    const caExtensions = async (publicKey: webcrypto.CryptoKey, pathLength: number) => [
      new x509.BasicConstraintsExtension(true, pathLength, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ];
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerial(),
      name: `CN=${name}`,
      keys: rootKeys,
      signingAlgorithm: algorithm,
      extensions: await caExtensions(rootKeys.publicKey, 1),
      ...validity,
    });
    const issuing = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: `CN=${name} issuing`,
      issuer: root.subjectName,
      publicKey: issuingKeys.publicKey,
      signingKey: rootKeys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        ...(await caExtensions(issuingKeys.publicKey, 0)),
        await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
      ],
      ...validity,
    });
    return new TestAuthority(root, issuing, issuingKeys.privateKey);
  }

  get rootPem(): string {
    return `${this.root.toString('pem')}\n`;
  }

  get rootDer(): Buffer {
    return Buffer.from(this.root.rawData);
  }

  /** Signs a leaf for the key of a certificate request, which must carry a valid signature. */
  async issueForRequest(csrPem: string, leaf: LeafRequest): Promise<IssuedLeaf> {
    const request = new x509.Pkcs10CertificateRequest(csrPem);
    if (!(await request.verify())) throw new Error('the signature of the certificate request is wrong');
    return await this.#issue(request.publicKey, leaf);
  }

  /** A leaf with a key of its own, for a server. */
  async issueServing(leaf: LeafRequest): Promise<IssuedLeaf & { readonly keyPem: string }> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const keyPem = x509.PemConverter.encode(pkcs8, 'PRIVATE KEY');
    return { ...(await this.#issue(keys.publicKey, leaf)), keyPem };
  }

  async #issue(publicKey: webcrypto.CryptoKey | x509.PublicKey, leaf: LeafRequest): Promise<IssuedLeaf> {
    const serialNumber = newSerial();
    const names = [
      ...(leaf.uris ?? []).map((value) => ({ type: 'url', value }) as const),
      ...(leaf.dns ?? []).map((value) => ({ type: 'dns', value }) as const),
      ...(leaf.ips ?? []).map((value) => ({ type: 'ip', value }) as const),
    ];
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber,
      subject: '',
      issuer: this.#issuing.subjectName,
      publicKey,
      signingKey: this.#issuingKey,
      signingAlgorithm: algorithm,
      notBefore: leaf.notBefore ?? new Date(Date.now() - 2 * minute),
      notAfter: leaf.notAfter ?? new Date(Date.now() + 60 * minute),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension(names, true),
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuing),
      ],
    });
    const pem = (each: x509.X509Certificate) => `${each.toString('pem')}\n`;
    return { serial: serialNumber, chainPem: [pem(certificate), pem(this.#issuing)] };
  }
}

/** 16 bytes, positive and without a leading zero, so that it reads the same everywhere. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
