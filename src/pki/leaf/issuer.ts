import { hash } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import { type ParsedCertificate, parseCertificate } from '../certificate/index.ts';
import { bitString, sequence, time, unsignedInteger } from '../der/index.ts';
import {
  type AlgorithmSpec,
  algorithms,
  type CertificateSigner,
  importPublicKey,
  keyIdentifier,
  readPublicKey,
  type VerifyingKey,
} from '../keys/index.ts';
import { encodeDnsName, encodeIpAddress, encodeUri } from './names.ts';
import { type LeafProfile, svidProfile } from './profile.ts';
import { createTemplate, encodeLeafTbs, type TbsTemplate } from './template.ts';

export interface LeafIssuerOptions {
  /** DER. */
  readonly issuerCertificate: Uint8Array;
  /** Holds the issuer's key. */
  readonly signer: CertificateSigner;
}

export interface LeafRequest {
  /** SubjectPublicKeyInfo, DER, as readCertificateRequest gives it. */
  readonly spki: Uint8Array;
  readonly spiffeId: string;
  /** 16 random octets. */
  readonly serial: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Default: svidProfile. */
  readonly profile?: LeafProfile;
  /** Only where the profile allows hosts. */
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

/** A certificate that only lacks its signature. */
export interface PreparedLeaf {
  /** TBSCertificate, DER. */
  readonly tbs: Uint8Array;
  /** SHA-256 of `tbs`, lower-case hexadecimal. */
  readonly tbsDigest: string;
  /** Lower case, whole octets, without leading zero octets. */
  readonly serialHex: string;
}

/** Issues leaf certificates in two steps, so that the intent can be linted and recorded before it is signed. */
export interface LeafIssuer {
  readonly issuer: ParsedCertificate;
  readonly issuerSpec: AlgorithmSpec;
  readonly issuerKey: VerifyingKey;
  /** @throws CitadelError InvalidArgument when the request is unfit for its profile or outlives the issuer */
  prepare(request: LeafRequest): PreparedLeaf;
  /** @returns the certificate, DER. @throws what the signer throws */
  sign(prepared: PreparedLeaf): Promise<Uint8Array>;
}

const serialLength = 16;

/** @throws CitadelError FailedPrecondition when certificate and key do not belong together or may not sign */
export function createLeafIssuer({ issuerCertificate, signer }: LeafIssuerOptions): LeafIssuer {
  const issuer = parseCertificate(issuerCertificate);
  const { subjectKeyId } = issuer;
  const publicKey = readPublicKey(issuer.publicKey.spki);
  if (!issuer.isCa || !issuer.keyUsage.includes('keyCertSign') || subjectKeyId === undefined) {
    throw unfitIssuer('the certificate is not that of an authority: CA, keyCertSign, subject key identifier');
  }
  if (publicKey.algorithm !== signer.algorithm || !Buffer.from(publicKey.spki).equals(signer.publicKey)) {
    throw unfitIssuer('the key is not the one of the certificate');
  }
  const spec = algorithms[signer.algorithm];
  const templates = new Map<LeafProfile, TbsTemplate>();
  const templateOf = (profile: LeafProfile): TbsTemplate => {
    let template = templates.get(profile);
    if (!template) {
      const keyId = Buffer.from(subjectKeyId, 'hex');
      template = createTemplate(profile, spec.signatureIdentifier, issuer.subjectDer, keyId);
      templates.set(profile, template);
    }
    return template;
  };

  return {
    issuer,
    issuerSpec: spec,
    issuerKey: { algorithm: publicKey.algorithm, object: importPublicKey(publicKey) },
    prepare({ profile = svidProfile, ...request }) {
      checkRequest(request, profile, issuer);
      const serial = unsignedInteger(request.serial);
      const tbs = encodeLeafTbs(templateOf(profile), {
        serial,
        validity: sequence(time(request.notBefore), time(request.notAfter)),
        spki: request.spki,
        subjectKeyId: keyIdentifier(readPublicKey(request.spki).keyBits),
        names: [
          encodeUri(request.spiffeId),
          ...(request.dns ?? []).map(encodeDnsName),
          ...(request.ips ?? []).map(encodeIpAddress),
        ],
      });
      return {
        tbs,
        tbsDigest: hash('sha256', tbs, 'hex'),
        serialHex: serial.toString('hex', serial[2] === 0 ? 3 : 2),
      };
    },
    async sign({ tbs }) {
      const signature = await signer.sign(tbs);
      return sequence(tbs, spec.signatureIdentifier, bitString(signature));
    },
  };
}

function checkRequest(request: LeafRequest, profile: LeafProfile, issuer: ParsedCertificate): void {
  const { notBefore, notAfter, serial } = request;
  if (serial.length !== serialLength || serial.every((octet) => octet === 0)) {
    throw unfitRequest('a serial number takes 16 random octets');
  }
  if (!(notBefore < notAfter)) throw unfitRequest('the certificate would end before it begins');
  if (notAfter > issuer.notAfter) throw unfitRequest('the certificate would outlive its issuer');
  const hosts = (request.dns?.length ?? 0) + (request.ips?.length ?? 0);
  if (hosts > 0 && !profile.allowsHosts)
    throw unfitRequest(`a certificate of profile ${profile.name} names no hosts`);
}

function unfitIssuer(message: string): CitadelError {
  return new CitadelError('FailedPrecondition', `this authority cannot issue: ${message}`);
}

function unfitRequest(message: string): CitadelError {
  return new CitadelError('InvalidArgument', message);
}
