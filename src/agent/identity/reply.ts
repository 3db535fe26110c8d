import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { BundleSet, SpiffeError, TrustBundle, verifyX509Svid, X509Svid } from '@citadel/spiffe';
import { CitadelError, describeError, Secret } from '../../kernel/index.ts';
import { makeBundle } from './bundle.ts';
import type { Bundle, Identity } from './identity.ts';
import { readPemCertificates, toPem } from './pem.ts';

export interface ReplyContext {
  /** The key that the request was made with. */
  readonly key: KeyObject;
  /** The trust domain that the certificate must be in; undefined for the first one when none is configured. */
  readonly trustDomain: string | undefined;
  /** The identity at hand: a renewal does not change who we are. */
  readonly current: Identity | undefined;
  readonly now: Date;
}

export interface CheckedReply {
  readonly identity: Identity;
  readonly bundle: Bundle;
}

const maxElements = 12;
const maxRoots = 64;

/**
 * Checks a CreateCertificate reply (leaf, intermediates, all roots in the last element) before any consumer sees it: the
 * leaf is for our key, is a valid X.509-SVID now, chains to the roots, and is in our trust domain.
 * New roots are believed, for the connection that brought them was authenticated by the old ones.
 * @throws CitadelError DataLoss, with a reason that names what is wrong
 */
export function checkReply(certChain: readonly string[], context: ReplyContext): CheckedReply {
  try {
    return check(certChain, context);
  } catch (error) {
    if (error instanceof CitadelError && error.code === 'DataLoss') throw error;
    if (error instanceof SpiffeError || error instanceof CitadelError)
      throw unusable(describeError(error), error);
    throw error;
  }
}

function check(certChain: readonly string[], { key, trustDomain, current, now }: ReplyContext): CheckedReply {
  if (certChain.length < 2)
    throw unusable('it has no roots: a leaf and the roots make two elements at least');
  if (certChain.length > maxElements) throw unusable(`it has more than ${maxElements} elements`);
  const roots = readPemCertificates(certChain.at(-1) ?? '');
  if (roots.length === 0 || roots.length > maxRoots) throw unusable(`it has ${roots.length} roots`);
  const svid = X509Svid.parse(certChain.slice(0, -1).flatMap((element) => readPemCertificates(element)));

  const ownKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  if (!ownKey.equals(svid.leaf.fields.spki)) throw unusable('the leaf is for another key than ours');
  const { name } = svid.id.trustDomain;
  if (trustDomain !== undefined && name !== trustDomain) {
    throw unusable(`the leaf is in the trust domain ${name}, not in ${trustDomain}`);
  }
  if (current !== undefined && current.id.toString() !== svid.id.toString()) {
    throw unusable(`the leaf names ${svid.id.toString()}, but we are ${current.id.toString()}`);
  }
  const bundle = makeBundle(name, roots);
  const { path } = verifyX509Svid(svid, BundleSet.of(TrustBundle.of(svid.id.trustDomain, roots)), { now });
  const issuer = path[1] ?? path[0];
  if (issuer === undefined) throw unusable('the leaf has no issuer');
  return { identity: describe(svid, key, issuer.der, now), bundle };
}

function describe(svid: X509Svid, key: KeyObject, issuer: Uint8Array, receivedAt: Date): Identity {
  return {
    id: svid.id,
    serial: svid.serialNumber,
    issuer: createHash('sha256').update(issuer).digest('hex'),
    notBefore: svid.notBefore,
    notAfter: svid.notAfter,
    receivedAt,
    chain: svid.chain,
    chainPem: svid.chain.map((certificate) => toPem(certificate.der)).join(''),
    keyPem: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
    keyDer: new Secret(key.export({ type: 'pkcs8', format: 'der' })),
  };
}

function unusable(reason: string, cause?: unknown): CitadelError {
  return new CitadelError('DataLoss', `the server's reply is unusable: ${reason}`, { cause });
}
