import { X509Certificate } from 'node:crypto';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { SpiffeWorkloadAPIClient } from '../../../src/gen/spiffe/workload/workload.ts';
import { startAgent, trustDomain, workloadId } from '../../fakes/agent-fixture.ts';
import { Inbox } from '../../fakes/sds-client.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { waitFor } from '../../parts/index.ts';

function secured(value = 'true'): Metadata {
  const metadata = new Metadata();
  metadata.set('workload.spiffe.io', value);
  return metadata;
}

function client(socketPath: string): SpiffeWorkloadAPIClient {
  return new SpiffeWorkloadAPIClient(`unix:${socketPath}`, credentials.createInsecure());
}

test('both streams begin with what is there and push what is new', async () => {
  await using fixture = await startAgent();
  await waitFor(() => fixture.agent.snapshot().identity);
  const stub = client(fixture.socketPath);
  using svids = new Inbox(stub.fetchX509Svid({}, secured()));
  using bundles = new Inbox(stub.fetchX509Bundles({}, secured()));

  const [svid] = (await svids.next()).svids;
  expect(svid?.spiffeId).toBe(workloadId);
  expect(svid?.bundle).toEqual(fixture.authority.rootDer);
  const leaf = new X509Certificate(svid?.x509Svid ?? Buffer.alloc(0));
  expect(leaf.serialNumber.toLowerCase()).toBe(fixture.service.serials[0]);
  expect(leaf.subjectAltName).toBe(`URI:${workloadId}`);
  expect((await bundles.next()).bundles).toEqual({ [`spiffe://${trustDomain}`]: fixture.authority.rootDer });

  fixture.agent.renewNow();
  const [renewed] = (await svids.next()).svids;
  expect(new X509Certificate(renewed?.x509Svid ?? Buffer.alloc(0)).serialNumber.toLowerCase()).toBe(
    fixture.service.serials[1],
  );
  // The roots are the same, so the second stream has nothing new until they change.
  fixture.service.roots = [fixture.authority, await TestAuthority.create(trustDomain, 'next')];
  fixture.agent.renewNow();
  expect((await bundles.next()).bundles[`spiffe://${trustDomain}`]?.length).toBeGreaterThan(
    fixture.authority.rootDer.length,
  );
  expect(bundles.pending).toBe(0);
  const consumer = fixture.agent.consumers().find(({ kind }) => kind === 'workload-api');
  const sent = consumer?.resources.find(({ name }) => name === workloadId);
  expect(sent?.sent).toBe(fixture.service.serials[2]);
  expect(sent?.accepted).toBeUndefined();
  stub.close();
});

test('without the security header InvalidArgument, without an identity PermissionDenied', async () => {
  await using fixture = await startAgent({
    prepare: (service) => {
      service.failWith = { code: status.UNAVAILABLE, details: 'starting' };
    },
  });
  const stub = client(fixture.socketPath);
  for (const metadata of [new Metadata(), secured('false')]) {
    using inbox = new Inbox(stub.fetchX509Svid({}, metadata));
    await expect(inbox.next()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  }
  using svids = new Inbox(stub.fetchX509Svid({}, secured()));
  await expect(svids.next()).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: 'no identity issued',
  });
  using bundles = new Inbox(stub.fetchX509Bundles({}, secured()));
  await expect(bundles.next()).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  stub.close();
});
