import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterType, listenerType } from '../../src/api/grpc/ads/types.ts';
import { AggregatedDiscoveryServiceClient } from '../../src/gen/envoy/service/discovery/v3/ads.ts';
import { openDelta } from '../fakes/ads-client.ts';
import { waitFor } from '../parts/index.ts';
import { runCitadel } from '../support/citadel.ts';
import { startTestMesh, type TestMesh } from '../support/mesh.ts';
import { registryText } from '../support/registry.ts';
import { newRequest } from '../support/server.ts';

const registry = (protocol: 'http' | 'tcp') =>
  registryText([{ name: 'web', ports: [{ port: 8080, protocol, application: 9080 }] }]);

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await startTestMesh({ registry: { 'shop.yaml': registry('http') } });
});
afterAll(() => mesh[Symbol.asyncDispose]());

const citadel = (...args: readonly string[]) =>
  runCitadel([...args, '--socket', join(mesh.server.directory, 'operator.sock')], {
    directory: mesh.server.directory,
    home: 'home',
  });

/** A discovery client with an SVID of web. */
async function client(): Promise<AggregatedDiscoveryServiceClient> {
  const { server } = mesh;
  const { csr, privateKeyPem } = await newRequest();
  const { certChain } = await server.create(
    { csr, validityDuration: 600n },
    { token: (await server.token()).reveal() },
  );
  const tls = credentials.createSsl(
    Buffer.from(server.app.authority.bundle().pem),
    Buffer.from(privateKeyPem),
    Buffer.from(certChain.slice(0, -1).join('')),
  );
  return new AggregatedDiscoveryServiceClient(`localhost:${server.app.csr.port}`, tls);
}

const proxies = () => mesh.server.app.controlPlane?.proxies() ?? [];
const listeners = () =>
  proxies()
    .flatMap((proxy) => proxy.resources)
    .filter(({ typeUrl }) => typeUrl === listenerType);

/** CONFIGURATION of the one proxy that is listed. */
async function listed(): Promise<string> {
  const { stdout } = await citadel('proxy', 'list');
  const [title = '', row = '', ...more] = stdout.trimEnd().split('\n');
  expect(more).toEqual([]);
  return row.slice(title.indexOf('CONFIGURATION'));
}

describe('a proxy that refuses a listener', () => {
  it('is listed as such, and shown with its words, what differs first', async () => {
    using stream = openDelta(await client());
    stream.send({ typeUrl: clusterType });
    stream.answer(await stream.next());
    stream.send({ typeUrl: listenerType });
    const first = await stream.next();
    const accepted = first.resources[0]?.version ?? '';
    stream.answer(first);
    await waitFor(() => listeners()[0]?.accepted === accepted, { what: 'the ACK' });
    expect(await listed()).toBe('current');

    await mesh.write('shop.yaml', registry('tcp'));
    const refused = async () => {
      for (;;) {
        const response = await stream.next();
        if (response.typeUrl === listenerType) return response;
        stream.answer(response);
      }
    };
    const second = await refused();
    const wanted = second.resources[0]?.version ?? '';
    expect(wanted).not.toBe(accepted);
    stream.answer(second, { error: 'Proto constraint validation failed' });
    await waitFor(() => listeners()[0]?.error !== undefined, { what: 'the NACK' });
    expect(await listed()).toBe('refused 1');

    const key = proxies()[0]?.proxy.proxyKey ?? '';
    const shown = await citadel('proxy', 'show', key);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^configuration +refused 1$/m);
    const [, table = ''] = shown.stdout.split(/^TYPE .*\n/m);
    const rows = table.trimEnd().split('\n');
    expect(rows[0]?.split(/ {2,}/)).toEqual([
      'Listener',
      'inbound/8080',
      wanted.slice(0, 12),
      'refused: Proto constraint validation failed',
    ]);
    expect(rows.at(-1)).toMatch(/^Cluster +inbound\/8080 .* current$/);

    const record: { readonly discovery: readonly { readonly resources: readonly object[] }[] } = JSON.parse(
      (await citadel('proxy', 'show', key, '-o', 'json')).stdout,
    );
    expect(record.discovery[0]?.resources).toContainEqual({
      type: 'envoy.config.listener.v3.Listener',
      name: 'inbound/8080',
      wantedVersion: wanted,
      sentVersion: wanted,
      acceptedVersion: accepted,
      error: 'Proto constraint validation failed',
    });
  });
});
