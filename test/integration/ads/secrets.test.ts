import { describe, expect, test } from 'vitest';
import { secretType } from '../../../src/api/grpc/ads/types.ts';
import { refusedBundle } from '../../../src/app/rotation.ts';
import { Secret } from '../../../src/gen/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { Any } from '../../../src/gen/google/protobuf/any.ts';
import { openDelta, openSotw } from '../../fakes/ads-client.ts';
import { trustDomain, webId } from '../../fakes/ads-server.ts';
import { waitFor } from '../../parts/index.ts';
import { startTrustServer } from '../../support/ads-trust.ts';

function read(resource: Any | undefined): Secret {
  expect(resource?.typeUrl).toBe(secretType);
  return Secret.decode(resource?.value ?? Buffer.alloc(0));
}

/** The roots of a validation context that has one list of them. */
function rootsOf({ type }: Secret): string | undefined {
  if (type?.$case !== 'validationContext') return undefined;
  const { specifier } = type.value.trustedCa ?? {};
  return specifier?.$case === 'inlineBytes' ? specifier.value.toString() : undefined;
}

const td = `spiffe://${trustDomain}`;
const noSuch = ['default', webId, 'spiffe://elsewhere.test', 'rootca'];

describe('secrets by ADS', () => {
  test('in delta: bundles by the agent’s names, no key, and what is not there is told', async () => {
    await using trusting = await startTrustServer();
    const { server } = trusting;
    using stream = openDelta(server.client(await server.identity()));
    stream.send({ typeUrl: secretType, resourceNamesSubscribe: ['ROOTCA', 'ALL', td, ...noSuch] });
    const first = await stream.next();
    expect(first.resources.map(({ name }) => name).toSorted()).toEqual(['ALL', 'ROOTCA', td]);
    expect(first.removedResources.toSorted()).toEqual(noSuch.toSorted());
    const secrets = first.resources.map(({ resource }) => read(resource));
    expect(secrets.map(({ type }) => type?.$case)).toEqual(secrets.map(() => 'validationContext'));
    const byName = new Map(secrets.map((secret) => [secret.name, secret]));
    expect(rootsOf(byName.get('ROOTCA') ?? Secret.fromPartial({}))).toBe(server.rootPem);
    const all = byName.get('ALL')?.type;
    const validator = all?.$case === 'validationContext' ? all.value.customValidatorConfig : undefined;
    expect(validator?.name).toBe('envoy.tls.cert_validator.spiffe');
    expect(validator?.typedConfig?.value.includes(trustDomain)).toBe(true);
    stream.answer(first);

    trusting.trust(server.rootPem, 'another root');
    const next = await stream.next();
    expect(next.resources.map(({ name }) => name).toSorted()).toEqual(['ALL', 'ROOTCA', td]);
    expect(next.removedResources).toEqual([]);
    expect(next.resources.map(({ resource }) => rootsOf(read(resource)))).toContain(
      `${server.rootPem}another root`,
    );
  });

  test('in a state of the world: what is not there is absent, and a changed bundle is sent', async () => {
    await using trusting = await startTrustServer();
    const { server } = trusting;
    using stream = openSotw(server.client(await server.identity()));
    stream.send({ typeUrl: secretType, resourceNames: ['ROOTCA', ...noSuch] });
    const first = await stream.next();
    expect(first.resources.map((each) => rootsOf(read(each)))).toEqual([server.rootPem]);
    stream.answer(first, { resourceNames: ['ROOTCA', ...noSuch] });
    trusting.trust('another root');
    const next = await stream.next();
    expect(next.resources.map((each) => rootsOf(read(each)))).toEqual(['another root']);
  });

  test('a bundle that is staged goes to the chosen proxy alone, and what it refuses is known', async () => {
    await using trusting = await startTrustServer();
    const { server, plane } = trusting;
    using chosen = openDelta(server.client(await server.identity()));
    using other = openDelta(server.client(await server.identity({ proxyKey: 'uid-2' })));
    for (const stream of [chosen, other]) {
      stream.send({ typeUrl: secretType, resourceNamesSubscribe: ['ROOTCA'] });
      stream.answer(await stream.next());
    }
    trusting.stage('uid-1', server.rootPem, 'another root');
    const staged = await chosen.next();
    expect(staged.resources.map(({ resource }) => rootsOf(read(resource)))).toEqual([
      `${server.rootPem}another root`,
    ]);
    expect(refusedBundle(plane, 'uid-1')).toBeUndefined();
    chosen.answer(staged, { error: 'cannot read it' });
    await waitFor(() => refusedBundle(plane, 'uid-1') === 'cannot read it');
    expect(refusedBundle(plane, 'uid-2')).toBeUndefined();
    // The next that the other one gets is what all get; of the staged one it has heard nothing.
    trusting.trust('a third root');
    const next = await other.next();
    expect(next.resources.map(({ resource }) => rootsOf(read(resource)))).toEqual(['a third root']);
    // Who comes only now gets what he is chosen for at once.
    using late = openDelta(server.client(await server.identity()));
    late.send({ typeUrl: secretType, resourceNamesSubscribe: ['ROOTCA'] });
    expect((await late.next()).resources.map(({ resource }) => rootsOf(read(resource)))).toEqual([
      `${server.rootPem}another root`,
    ]);
  });

  test('are given to nobody who does not ask', async () => {
    await using trusting = await startTrustServer();
    const { server } = trusting;
    using stream = openDelta(server.client(await server.identity()));
    stream.send({ typeUrl: secretType, resourceNamesSubscribe: ['*', 'ROOTCA'] });
    const { resources, removedResources } = await stream.next();
    expect([resources.map(({ name }) => name), removedResources]).toEqual([['ROOTCA'], ['*']]);
  });
});
