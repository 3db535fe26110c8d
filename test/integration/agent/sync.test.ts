import { BundleSet, TrustBundle, TrustDomain } from '@citadel/spiffe';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { SyncResponse } from '../../../src/gen/citadel/v1/agent.ts';
import { startAgent, trustDomain } from '../../fakes/agent-fixture.ts';
import { sotwRequest, streamSecrets } from '../../fakes/sds-client.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { waitFor } from '../../parts/index.ts';

function bundleSet(...bundles: readonly [string, readonly TestAuthority[]][]) {
  const read = bundles.map(([name, authorities]) =>
    TrustBundle.of(
      TrustDomain.parse(name),
      authorities.map(({ rootDer }) => rootDer),
    ),
  );
  return {
    version: BundleSet.of(...read).contentVersion(),
    bundles: read.map((bundle) => ({
      trustDomain: bundle.trustDomain.name,
      x509Authorities: bundle.x509Authorities.map(({ der }) => der),
      version: bundle.contentVersion(),
    })),
  };
}

test('a report at start and when consumers change; bundles reach them', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  const first = await waitFor(() => fixture.service.reports[0]?.report);
  expect(first.consumers).toEqual([]);
  expect(first.bundleVersion).toBe(fixture.agent.snapshot().bundles.get(trustDomain)?.version);

  using sds = streamSecrets(fixture.socketPath);
  sds.write(sotwRequest(['default', 'ROOTCA', 'spiffe://friend.test']));
  const sent = await sds.next();
  expect(sent.resources).toHaveLength(2);
  sds.write(sotwRequest(['default', 'ROOTCA', 'spiffe://friend.test'], sent));
  const resource = await waitFor(() =>
    fixture.service.reports
      .at(-1)
      ?.report?.consumers[0]?.resources.find(
        ({ name, acceptedVersion }) => name === 'default' && acceptedVersion !== '',
      ),
  );
  expect(resource.sentVersion).toBe(fixture.service.serials[0]);
  expect(resource.acceptedVersion).toBe(fixture.service.serials[0]);
  expect(resource.inUseVersion).toBe('');

  const next = await TestAuthority.create(trustDomain, 'next');
  const friend = await TestAuthority.create('friend.test', 'friend');
  const set = bundleSet([trustDomain, [fixture.authority, next]], ['friend.test', [friend]]);
  fixture.service.send({ bundles: set });
  const pushed = await sds.next();
  expect(pushed.resources).toHaveLength(2);
  await waitFor(() => fixture.service.reports.at(-1)?.report?.bundleVersion === set.version);
});

test('an Envoy that does not ask is not taken for one that uses what the agent holds', async () => {
  await using fixture = await startAgent({
    service: { sync: true },
    agent: { envoy: { adminSocket: '/nowhere/admin.sock' } },
  });
  const { service } = fixture;
  const reported = () => service.reports.at(-1)?.report?.consumers;
  const first = await waitFor(reported);
  expect(first).toMatchObject([{ consumerId: 'envoy', resources: [{ name: 'default', inUseVersion: '' }] }]);
  {
    using sds = streamSecrets(fixture.socketPath);
    sds.write(sotwRequest(['default', 'ROOTCA']));
    await sds.next();
    await waitFor(() => reported()?.[0]?.resources.length === 2);
    expect(reported()).toHaveLength(1);
  }
  // Gone again, perhaps only from us.
  await waitFor(() => reported()?.[0]?.consumerId === 'envoy');
});

test('a bundle that came with a certificate is reported, before the server names its set', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  const { agent, service, authority } = fixture;
  await waitFor(() => service.reports.length > 0);
  const [next, last] = [
    await TestAuthority.create(trustDomain, 'b'),
    await TestAuthority.create(trustDomain, 'c'),
  ];
  const old = bundleSet([trustDomain, [authority, next]]);
  service.send({ bundles: old });
  await waitFor(() => service.reports.at(-1)?.report?.bundleVersion === old.version);

  service.roots = [authority, next, last];
  agent.renewNow();
  await waitFor(() => service.syncCalls.length === 2);
  const own = await waitFor(() => {
    const version = agent.snapshot().bundles.get(trustDomain)?.version;
    return version !== old.bundles[0]?.version && version;
  });
  await waitFor(() => service.reports.at(-1)?.report?.bundleVersion === own);
  const set = bundleSet([trustDomain, [authority, next, last]]);
  expect(set.bundles[0]?.version).toBe(own);
  service.send({ bundles: set });
  await waitFor(() => service.reports.at(-1)?.report?.bundleVersion === set.version);
});

test('a bundle set that is wrong changes nothing', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  await waitFor(() => fixture.service.reports.length > 0);
  const before = fixture.agent.snapshot().bundles;
  const good = bundleSet([trustDomain, [await TestAuthority.create(trustDomain, 'next')]]);
  const [bundle] = good.bundles;
  if (bundle === undefined) throw new Error('the set has a bundle');
  const wrong = [
    bundleSet(['friend.test', [await TestAuthority.create('friend.test')]]),
    { ...good, bundles: [{ ...bundle, version: '00'.repeat(32) }] },
    { ...good, bundles: [bundle, bundle] },
    { ...good, bundles: [{ ...bundle, x509Authorities: [Buffer.from('no certificate')], version: '' }] },
  ];
  for (const [index, bundles] of wrong.entries()) {
    fixture.service.send({ bundles });
    await waitFor(
      () => fixture.lines.filter(({ message }) => message.includes('was refused')).length === index + 1,
    );
  }
  expect(fixture.agent.snapshot().bundles).toBe(before);
  fixture.service.send({ bundles: good });
  await waitFor(() => fixture.agent.snapshot().bundles !== before);
});

test('a renewal window in the past, then a re-key order: new keys, and a stream with the new certificate each time', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  await waitFor(() => fixture.service.syncCalls.length === 1 && fixture.service.reports.length > 0);
  const past = new Date(Date.now() - 60_000);
  fixture.service.send({ renewal: { start: past, end: past } });
  await waitFor(() => fixture.service.serials.length === 2 && fixture.service.syncCalls.length === 2);
  await waitFor(() => fixture.service.reports.length > 1);
  const { identity } = fixture.agent.snapshot();
  fixture.service.send({ reKey: { reason: 'the authority is tainted' } });
  await waitFor(() => fixture.service.serials.length === 3 && fixture.service.syncCalls.length === 3);
  expect(fixture.agent.snapshot().identity?.chain[0]?.fields.spki).not.toEqual(
    identity?.chain[0]?.fields.spki,
  );
  expect(fixture.service.syncSerials).toEqual(fixture.service.serials);
});

test('the stream of a certificate that is replaced stands until the next one does', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  const { agent, service } = fixture;
  await waitFor(() => service.reports.length > 0);
  const [first] = service.syncCalls;
  agent.renewNow();
  const second = await waitFor(() => service.syncCalls[1]);
  await waitFor(() => service.reports.length > 1);
  expect(first?.cancelled).toBe(false);
  second.write(SyncResponse.create({}));
  await waitFor(() => first?.cancelled);
  expect(second.cancelled).toBe(false);

  agent.renewNow();
  const third = await waitFor(() => service.syncCalls[2]);
  expect(second.cancelled).toBe(false);
  // No answer comes on it: both end, and one comes back.
  third.end();
  await waitFor(() => second.cancelled);
  await waitFor(() => service.syncCalls.length === 4);
});

test('no stream is asked for with a certificate that has ended', async () => {
  await using fixture = await startAgent({
    service: { sync: true },
    prepare: (service) => {
      service.lifetime = 2;
    },
  });
  const { agent, service, lines } = fixture;
  await waitFor(() => service.syncCalls.length === 1);
  service.failWith = { code: status.UNAVAILABLE, details: 'not now' };
  await waitFor(() => (agent.snapshot().identity?.notAfter ?? new Date()) < new Date());
  const before = service.syncCalls.length;
  service.syncCalls.at(-1)?.end();
  await waitFor(() => lines.some(({ message }) => message.includes('waits for a certificate')));
  service.lifetime = 3600;
  service.failWith = undefined;
  await waitFor(
    () =>
      service.syncSerials.at(-1) === agent.snapshot().identity?.serial && service.syncCalls.length > before,
  );
  expect(service.syncCalls.length).toBe(before + 1);
});

test('the stream comes back after the server closed it, and a server without it is no harm', async () => {
  await using fixture = await startAgent({ service: { sync: true } });
  await waitFor(() => fixture.service.syncCalls.length === 1);
  fixture.service.syncCalls[0]?.end();
  await waitFor(() => fixture.service.syncCalls.length === 2);

  await using without = await startAgent();
  await waitFor(() => without.lines.some(({ fields }) => fields['code'] === 'Unimplemented'));
  without.agent.renewNow();
  await waitFor(() => without.agent.snapshot().identity?.serial === without.service.serials[1]);
});

test('a new certificate ends the growth of the pauses between streams', async () => {
  const backoff = { baseMilliseconds: 10, maximumMilliseconds: 60_000 };
  await using fixture = await startAgent({ service: { sync: true }, agent: { backoff } });
  const { agent, service, lines } = fixture;
  const pauses = () =>
    lines.flatMap(({ message, fields }) =>
      message === 'the Sync stream ended' ? [Number(fields['retryInMilliseconds'])] : [],
    );
  const failures = 7;
  for (let failed = 1; failed <= failures; failed += 1) {
    await waitFor(() => service.syncCalls.length === failed);
    service.syncCalls.at(-1)?.end();
    await waitFor(() => pauses().length === failed);
  }
  agent.renewNow();
  await waitFor(() => service.syncSerials.at(-1) === service.serials.at(1));
  // As long as it pauses for the old one's sake, the new certificate is not on a stream.
  agent.renewNow();
  await waitFor(() => service.syncSerials.at(-1) === service.serials.at(2));
  service.syncCalls.at(-1)?.end();
  await waitFor(() => pauses().length > failures);
  expect(pauses().at(-1)).toBeLessThanOrEqual(backoff.baseMilliseconds);
});
