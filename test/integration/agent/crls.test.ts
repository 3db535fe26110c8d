import { createHash } from 'node:crypto';
import { TrustBundle, TrustDomain } from '@citadel/spiffe';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Secret } from '../../../src/gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { DiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { createCrl, createRootCertificate, generateKeyPair, localSigner } from '../../../src/pki/index.ts';
import { type AgentFixture, startAgent, trustDomain } from '../../fakes/agent-fixture.ts';
import { sotwRequest, streamSecrets } from '../../fakes/sds-client.ts';
import { waitFor } from '../../parts/index.ts';

const hour = 3_600_000;

async function someCrl(number: number, ...serials: readonly string[]): Promise<Buffer> {
  const signer = localSigner((await generateKeyPair('ecdsa-p256')).privateKey);
  const [notBefore, notAfter] = [new Date(Date.now() - hour), new Date(Date.now() + hour)];
  const issuerCertificate = await createRootCertificate({
    signer,
    subject: 'an issuer',
    notBefore,
    notAfter,
  });
  return Buffer.from(
    await createCrl({
      issuerCertificate,
      signer,
      number,
      thisUpdate: notBefore,
      nextUpdate: notAfter,
      entries: serials.map((serial) => ({ serial, revokedAt: new Date(), reason: 'keyCompromise' as const })),
    }),
  );
}

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest();
const versionOf = (crls: readonly Buffer[]) =>
  crls.length === 0 ? '' : sha256(Buffer.concat(crls.map(sha256))).toString('hex');

function bundles({ authority }: AgentFixture, crls: Buffer[], crlVersion = versionOf(crls)) {
  const bundle = TrustBundle.of(TrustDomain.parse(trustDomain), [authority.rootDer]);
  const version = bundle.contentVersion();
  const x509Authorities = bundle.x509Authorities.map(({ der }) => der);
  return { bundles: { version, bundles: [{ trustDomain, x509Authorities, version, crls, crlVersion }] } };
}

/** The CRLs of a validation context, PEM; undefined where the response has no such secret. */
function crlsIn(response: DiscoveryResponse, name: string): { pem: string; leafOnly: boolean } | undefined {
  const { type } =
    response.resources.map(({ value }) => Secret.decode(value)).find((each) => each.name === name) ?? {};
  if (type?.$case !== 'validationContext') return undefined;
  const { crl, onlyVerifyLeafCertCrl } = type.value;
  const pem = crl?.specifier?.$case === 'inlineBytes' ? Buffer.from(crl.specifier.value).toString() : '';
  return { pem, leafOnly: onlyVerifyLeafCertCrl };
}

const base64 = (der: Buffer) => der.toString('base64').slice(0, 64);

test('CRLs reach an Envoy with its bundle, stay over a renewal, and go when the server takes them back', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  const { service } = fixture;
  await waitFor(() => service.reports.length > 0);
  using sds = streamSecrets(fixture.socketPath);
  const names = ['ROOTCA', 'ALL'];
  sds.write(sotwRequest(names));
  const before = await sds.next();
  expect(crlsIn(before, 'ROOTCA')).toStrictEqual({ pem: '', leafOnly: false });
  sds.write(sotwRequest(names, before));

  const crls = [await someCrl(1), await someCrl(4, 'ab')];
  service.send(bundles(fixture, crls));
  const given = await sds.next();
  const context = crlsIn(given, 'ROOTCA');
  expect(context?.pem.match(/BEGIN X509 CRL/g)).toHaveLength(2);
  for (const crl of crls) expect(context?.pem).toContain(base64(crl));
  expect(context?.leafOnly).toBe(true);
  // The SPIFFE validator knows no CRL: there is nothing new for it.
  expect(crlsIn(given, 'ALL')).toBeUndefined();
  const reported = () => service.reports.at(-1)?.report;
  expect(reported()?.crlVersion).toBe('');
  sds.write(sotwRequest(names, given));
  await waitFor(() => reported()?.crlVersion === versionOf(crls), { what: 'the CRLs to be reported' });
  // The version of the bundle says what it said.
  const { version } = bundles(fixture, []).bundles;
  await waitFor(() => reported()?.consumers[0]?.resources.some((each) => each.acceptedVersion === version));

  fixture.agent.renewNow();
  await waitFor(() => service.serials.length === 2 && service.syncCalls.length === 2);
  expect(fixture.agent.snapshot().bundles.get(trustDomain)?.crls?.version).toBe(versionOf(crls));
  service.send(bundles(fixture, []));
  const after = await sds.next();
  expect(crlsIn(after, 'ROOTCA')).toStrictEqual({ pem: '', leafOnly: false });
});

test('CRLs that are not what they are said to be change nothing', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  await waitFor(() => fixture.service.reports.length > 0);
  const crl = await someCrl(1);
  const garbage = Buffer.from('no CRL');
  const wrong = [
    bundles(fixture, [crl], '00'.repeat(32)),
    bundles(fixture, [crl], ''),
    bundles(fixture, [crl, garbage]),
    bundles(fixture, [crl.subarray(0, -1)]),
    bundles(
      fixture,
      Array.from({ length: 257 }, () => crl),
    ),
  ];
  for (const [index, message] of wrong.entries()) {
    fixture.service.send(message);
    await waitFor(
      () => fixture.lines.filter((line) => line.message.includes('was refused')).length === index + 1,
    );
  }
  expect(fixture.agent.snapshot().bundles.get(trustDomain)?.crls).toBeUndefined();
});

test('an order to re-key is kept though its stream ends with it', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  const { service } = fixture;
  await waitFor(() => service.syncCalls.length === 1 && service.reports.length > 0);
  service.send({ reKey: { reason: 'the certificate is revoked' } });
  service.syncCalls[0]?.emit('error', { code: status.UNAUTHENTICATED, details: 'revoked' });
  await waitFor(() => service.serials.length === 2, { deadline: 30_000 });
  // The reply is on its way when the server knows of it.
  await waitFor(() => fixture.agent.snapshot().identity?.serial === service.serials[1]);
}, 60_000);

test('a certificate that the server does not take is replaced, and that once', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  const { service } = fixture;
  await waitFor(() => service.syncCalls.length === 1);
  service.syncCalls[0]?.emit('error', { code: status.UNAUTHENTICATED, details: 'not in the inventory' });
  await waitFor(() => service.syncCalls.length === 2);
  service.syncCalls[1]?.emit('error', { code: status.UNAUTHENTICATED, details: 'not in the inventory' });
  await waitFor(() => service.serials.length === 2, { deadline: 30_000 });
  await waitFor(() => service.syncSerials.at(-1) === service.serials[1]);
  expect(service.serials).toHaveLength(2);
}, 60_000);
