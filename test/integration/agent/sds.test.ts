import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { DiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { startAgent, trustDomain, workloadId } from '../../fakes/agent-fixture.ts';
import { deltaRequest, deltaSecrets, sdsClient, sotwRequest, streamSecrets } from '../../fakes/sds-client.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { waitFor } from '../../parts/index.ts';

const typeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

function secretsOf(response: DiscoveryResponse): Map<string, Secret> {
  return new Map(
    response.resources.map(({ value }) => Secret.decode(value)).map((secret) => [secret.name, secret]),
  );
}

function textOf(secret: Secret | undefined): string {
  const { type } = secret ?? {};
  if (type?.$case === 'tlsCertificate') {
    const { certificateChain, privateKey } = type.value;
    return [certificateChain, privateKey].map((part) => inlineText(part?.specifier)).join('');
  }
  return type?.$case === 'validationContext' ? inlineText(type.value.trustedCa?.specifier) : '';
}

function inlineText(specifier: { $case: string; value: unknown } | undefined): string {
  return specifier?.value instanceof Uint8Array ? Buffer.from(specifier.value).toString() : '';
}

describe('StreamSecrets', () => {
  test('names, acknowledgements, and a push of what changed alone', async () => {
    await using fixture = await startAgent();
    using sds = streamSecrets(fixture.socketPath);
    const names = ['default', 'ROOTCA', workloadId, `spiffe://${trustDomain}`, 'ALL', 'nothing-of-that-name'];
    sds.write(sotwRequest(names));
    const first = await sds.next();
    const secrets = secretsOf(first);
    expect([...secrets.keys()].sort()).toEqual(names.slice(0, 5).sort());
    expect(textOf(secrets.get('default'))).toMatch(/BEGIN CERTIFICATE-.*BEGIN PRIVATE KEY-/s);
    expect(textOf(secrets.get('default'))).toBe(textOf(secrets.get(workloadId)));
    expect(textOf(secrets.get('ROOTCA'))).toContain(fixture.authority.rootPem.trim().split('\n')[1]);
    expect(textOf(secrets.get('ROOTCA'))).toBe(textOf(secrets.get(`spiffe://${trustDomain}`)));
    expect(
      fixture.lines.some(
        ({ level, fields }) => level === 'warn' && fields['name'] === 'nothing-of-that-name',
      ),
    ).toBe(true);

    const resource = (name: string) =>
      fixture.agent.consumers()[0]?.resources.find((each) => each.name === name);
    expect(resource('default')?.sent).toBe(fixture.service.serials[0]);
    expect(resource('default')?.accepted).toBeUndefined();
    sds.write(sotwRequest(names, first));
    await waitFor(() => resource('default')?.accepted === fixture.service.serials[0]);

    fixture.agent.renewNow();
    const second = await sds.next();
    // ROOTCA, the trust domain's bundle and ALL are what they were.
    expect([...secretsOf(second).keys()].sort()).toEqual(['default', workloadId].sort());
    expect(textOf(secretsOf(second).get('default'))).not.toBe(textOf(secrets.get('default')));

    sds.write(sotwRequest(names, second, 'the key does not fit'));
    await waitFor(() => resource('default')?.nackError === 'the key does not fit');
    expect(resource('default')?.accepted).toBe(fixture.service.serials[0]);
    expect(resource('default')?.sent).toBe(fixture.service.serials[1]);
  });

  test('an outdated nonce changes nothing', async () => {
    await using fixture = await startAgent();
    using sds = streamSecrets(fixture.socketPath);
    sds.write(sotwRequest(['default']));
    const first = await sds.next();
    fixture.agent.renewNow();
    const second = await sds.next();
    sds.write(sotwRequest(['ROOTCA'], first));
    sds.write(sotwRequest(['default', 'ROOTCA'], second));
    expect([...secretsOf(await sds.next()).keys()]).toEqual(['ROOTCA']);
  });

  test('a consumer that came before the certificate gets it when it is there', async () => {
    await using fixture = await startAgent({
      prepare: (service) => {
        service.failWith = { code: status.UNAVAILABLE, details: 'starting' };
      },
    });
    using sds = streamSecrets(fixture.socketPath);
    sds.write(sotwRequest(['default', 'ROOTCA']));
    await waitFor(() => fixture.service.requests.length > 1);
    fixture.service.failWith = undefined;
    expect([...secretsOf(await sds.next()).keys()].sort()).toEqual(['ROOTCA', 'default']);
  });

  test('another type and too many names are refused', async () => {
    await using fixture = await startAgent();
    using wrong = streamSecrets(fixture.socketPath);
    wrong.write({
      ...sotwRequest(['default']),
      typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
    });
    await expect(wrong.next()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    using many = streamSecrets(fixture.socketPath);
    many.write(sotwRequest(Array.from({ length: 65 }, (_, index) => `name-${index}`)));
    await expect(many.next()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });
});

describe('DeltaSecrets', () => {
  test('unknown names are removed, known versions are not sent again', async () => {
    await using fixture = await startAgent();
    await waitFor(() => fixture.agent.snapshot().identity);
    using sds = deltaSecrets(fixture.socketPath);
    const serial = fixture.service.serials[0] ?? '';
    sds.write(deltaRequest({ subscribe: ['default', 'ROOTCA', 'missing'], versions: { default: serial } }));
    const first = await sds.next();
    expect(first.resources.map(({ name }) => name)).toEqual(['ROOTCA']);
    expect(first.removedResources).toEqual(['missing']);
    sds.write(deltaRequest({ nonce: first.nonce }));
    fixture.agent.renewNow();
    const second = await sds.next();
    expect(second.resources.map(({ name, version }) => [name, version])).toEqual([
      ['default', fixture.service.serials[1]],
    ]);
    sds.write(deltaRequest({ nonce: second.nonce, unsubscribe: ['default'], subscribe: ['ROOTCA'] }));
    const third = await sds.next();
    expect(third.resources.map(({ name }) => name)).toEqual(['ROOTCA']);
  });
});

describe('FetchSecrets', () => {
  test('answers once; Unavailable before there is a certificate', async () => {
    await using fixture = await startAgent({
      prepare: (service) => {
        service.failWith = { code: status.UNAVAILABLE, details: 'starting' };
      },
    });
    const stub = sdsClient(fixture.socketPath);
    const fetch = () =>
      new Promise<DiscoveryResponse>((resolve, reject) => {
        stub.fetchSecrets({ ...sotwRequest(['default', 'ROOTCA']), typeUrl }, (error, response) => {
          if (error === null) resolve(response);
          else reject(error);
        });
      });
    await expect(fetch()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    fixture.service.failWith = undefined;
    const response = await waitFor(fetch);
    expect([...secretsOf(response).keys()].sort()).toEqual(['ROOTCA', 'default']);
    stub.close();
  });
});

test('a new root in the reply is pushed as ROOTCA, in one bundle with the old', async () => {
  await using fixture = await startAgent();
  using sds = streamSecrets(fixture.socketPath);
  sds.write(sotwRequest(['ROOTCA']));
  const before = textOf(secretsOf(await sds.next()).get('ROOTCA'));
  const next = await TestAuthority.create(trustDomain, 'next root');
  fixture.service.roots = [fixture.authority, next];
  fixture.agent.renewNow();
  const after = textOf(secretsOf(await sds.next()).get('ROOTCA'));
  expect(before.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  expect(after.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});
