import { connect, createServer, type TLSSocket } from 'node:tls';
import { BundleSet, TrustBundle, TrustDomain, verifyX509Svid } from '@citadel/spiffe';
import { describe, expect, test } from 'vitest';
import {
  createCrossCertificate,
  createIssuingCertificate,
  createLeafIssuer,
  createRootCertificate,
  generateKeyPair,
  type KeyAlgorithm,
  toPem,
} from '../../../src/pki/index.ts';
import { hasPart } from '../../parts/index.ts';
import { type EnvoyIdentity, startEnvoyPair } from '../../support/envoy-pair.ts';
import { leafRequest, seconds, signerOf } from '../../unit/pki/fixture.ts';
import { openssl } from '../../unit/pki/openssl.ts';

const trustDomain = 'example.org';

/** A new root, which an old one certifies, and a leaf under it. @param oldEnds seconds from now */
async function crossed(algorithm: KeyAlgorithm, oldEnds = 86_400) {
  const [oldSigner, newSigner, issuingSigner] = [
    await signerOf('ecdsa-p256'),
    await signerOf(algorithm),
    await signerOf(algorithm),
  ];
  const notBefore = seconds(-3600);
  const notAfter = seconds(86_400);
  const oldRoot = await createRootCertificate({
    signer: oldSigner,
    subject: 'Old root',
    notBefore,
    notAfter: seconds(oldEnds),
    trustDomain,
  });
  const newRoot = await createRootCertificate({
    signer: newSigner,
    subject: 'New root',
    notBefore,
    notAfter,
    trustDomain,
  });
  const cross = await createCrossCertificate({
    issuerCertificate: oldRoot,
    issuerSigner: oldSigner,
    certificate: newRoot,
    trustDomain,
  });
  const issuing = await createIssuingCertificate({
    issuerCertificate: newRoot,
    issuerSigner: newSigner,
    publicKey: issuingSigner.publicKey,
    subject: 'Issuing',
    notBefore,
    notAfter,
    trustDomain,
  });
  const workload = await generateKeyPair('ecdsa-p256');
  const issuer = createLeafIssuer({ issuerCertificate: issuing, signer: issuingSigner });
  const leaf = await issuer.sign(issuer.prepare(leafRequest(workload.spki)));
  const trusted: Readonly<Record<string, readonly Uint8Array[]>> = {
    'the old root alone': [oldRoot],
    'the new root alone': [newRoot],
    'both, the old first': [oldRoot, newRoot],
    'both, the new first': [newRoot, oldRoot],
  };
  const key = toPem(workload.privateKeyPkcs8.reveal(), 'PRIVATE KEY');
  return { oldRoot, newRoot, cross, issuing, leaf, key, trusted };
}

type Crossed = Awaited<ReturnType<typeof crossed>>;
const pem = (certificates: readonly Uint8Array[]) => certificates.map((der) => toPem(der)).join('');
const served = ({ leaf, issuing, cross }: Crossed) => [leaf, issuing, cross];
const trusts = ['the old root alone', 'the new root alone', 'both, the old first', 'both, the new first'];

function identity(made: Crossed, roots: readonly Uint8Array[], chain = served(made)): EnvoyIdentity {
  return { chain: pem(chain), key: made.key, roots: pem(roots) };
}

describe('a chain with a cross certificate is verified by who trusts', async () => {
  const made = await crossed('ecdsa-p384');

  test.each(trusts)('%s: OpenSSL, Node, and the SPIFFE library', async (trust) => {
    const roots = made.trusted[trust] ?? [];
    const files = { roots: pem(roots), chain: pem([made.issuing, made.cross]), leaf: toPem(made.leaf) };
    const args = ['-x509_strict', '-CAfile', '@roots', '-untrusted', '@chain', '@leaf'];
    expect(openssl(files, 'verify', ...args)).toMatch(/: OK\n$/);
    expect(await handshake(made, served(made), roots)).toBe(true);
    const domain = TrustDomain.parse(trustDomain);
    const { path } = verifyX509Svid(served(made), BundleSet.of(TrustBundle.of(domain, roots)), {
      now: new Date(),
    });
    expect(path).toHaveLength(trust === 'the old root alone' ? 3 : 2);
  });

  test('the old root alone: by nobody without it', async () => {
    const without = [made.leaf, made.issuing];
    expect(await handshake(made, without, [made.oldRoot])).toBe(false);
  });

  describe.skipIf(!hasPart('envoy'))('real Envoys', () => {
    test.each(trusts)('%s', async (trust) => {
      const roots = made.trusted[trust] ?? [];
      await using pair = await startEnvoyPair(identity(made, roots), identity(made, roots));
      expect([await pair.call(), await pair.call()]).toStrictEqual([200, 200]);
    });

    test('the old root alone, of a new one of ML-DSA-65', async () => {
      const experiment = await crossed('ml-dsa-65');
      const roots = [experiment.oldRoot];
      await using pair = await startEnvoyPair(identity(experiment, roots), identity(experiment, roots));
      expect(await pair.call()).toBe(200);
    });

    test('the old root alone: not without it', async () => {
      const roots = [made.oldRoot];
      const without = identity(made, roots, [made.leaf, made.issuing]);
      await using pair = await startEnvoyPair(without, without);
      expect(await pair.call()).toBe(503);
    });

    test('the new root, when the cross certificate and the old root have ended', async () => {
      const ended = await crossed('ecdsa-p256', -60);
      for (const roots of [[ended.newRoot], [ended.oldRoot, ended.newRoot]]) {
        await using pair = await startEnvoyPair(identity(ended, roots), identity(ended, roots));
        expect(await pair.call()).toBe(200);
        expect(await handshake(ended, served(ended), roots)).toBe(true);
      }
    });
  });
});

/** Whether a Node client that trusts these roots finishes a handshake with a server of this chain. */
async function handshake(
  { key }: Crossed,
  chain: readonly Uint8Array[],
  roots: readonly Uint8Array[],
): Promise<boolean> {
  const server = createServer({ cert: pem(chain), key }, (socket) =>
    socket.on('error', () => undefined).end(),
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    return await new Promise((resolve) => {
      const socket: TLSSocket = connect(
        { port: address.port, host: '127.0.0.1', ca: [pem(roots)], checkServerIdentity: () => undefined },
        () => {
          socket.destroy();
          resolve(true);
        },
      );
      socket.on('error', () => resolve(false));
    });
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
