import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { SpiffeId } from '@citadel/spiffe';
import type { Claims } from '../../../domain/policy/index.ts';
import {
  createLeafIssuer,
  createRootCertificate,
  generateKeyPair,
  type LeafIssuer,
  localSigner,
  toPem,
} from '../../../pki/index.ts';

/** PEM. */
export interface Credentials {
  readonly keyPem: string;
  readonly chainPem: string;
}

const minute = 60_000;
const lifetime = 60 * minute;

/** Certificates and tokens that one run believes, and nobody else: their keys are in this process alone. */
export class ThrowawayIdentities {
  readonly rootPem: string;
  readonly jwks: string;
  readonly #issuer: LeafIssuer;
  readonly #tokenKey: KeyObject;
  readonly #known = new Map<string, Promise<Credentials>>();

  private constructor(root: Uint8Array, issuer: LeafIssuer) {
    this.rootPem = toPem(root);
    this.#issuer = issuer;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#tokenKey = privateKey;
    this.jwks = JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'judge', alg: 'ES256' }],
    });
  }

  static async create(): Promise<ThrowawayIdentities> {
    const { privateKey } = await generateKeyPair('ecdsa-p256');
    const signer = localSigner(privateKey);
    const now = Date.now();
    const root = await createRootCertificate({
      subject: 'throwaway',
      notBefore: new Date(now - 2 * minute),
      notAfter: new Date(now + 2 * lifetime),
      pathLen: 0,
      signer,
    });
    return new ThrowawayIdentities(root, createLeafIssuer({ issuerCertificate: root, signer }));
  }

  /** Of a SPIFFE ID of any trust domain; one for each. */
  credentials(spiffeId: string): Promise<Credentials> {
    const known = this.#known.get(spiffeId) ?? this.#issue(SpiffeId.parse(spiffeId).toString());
    this.#known.set(spiffeId, known);
    return known;
  }

  async #issue(spiffeId: string): Promise<Credentials> {
    const { privateKeyPkcs8, spki } = await generateKeyPair('ecdsa-p256');
    const now = Date.now();
    const serial = randomBytes(16);
    serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
    const prepared = this.#issuer.prepare({
      spki,
      spiffeId,
      serial,
      notBefore: new Date(now - minute),
      notAfter: new Date(now + lifetime),
    });
    return {
      chainPem: toPem(await this.#issuer.sign(prepared)),
      keyPem: toPem(privateKeyPkcs8.reveal(), 'PRIVATE KEY'),
    };
  }

  /** @param claims `invalid`: of a token that is signed by somebody else */
  token(claims: Claims | 'invalid'): string {
    const stranger = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const content = claims === 'invalid' ? { iss: 'nobody', sub: 'nobody' } : claims;
    const signed = `${part({ alg: 'ES256', kid: 'judge' })}.${part(content)}`;
    const key = claims === 'invalid' ? stranger() : this.#tokenKey;
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }
}
