import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createFileSource } from '../../../../src/adapters/registry/index.ts';
import { silentLog, systemClock } from '../../../../src/kernel/index.ts';
import { temporaryDirectory, waitFor } from '../../../parts/index.ts';

const orders = (port = 8080) => `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  ports: [{port: ${port}, application: "127.0.0.1:9080"}]
`;
const service = `
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  ports: [{port: 80, targetPort: 8080}]
  selector: {app: orders}
`;

async function start(files: Readonly<Record<string, string>>) {
  const directory = await temporaryDirectory('registry');
  for (const [name, text] of Object.entries(files)) await writeFile(directory.join(name), text);
  // Long, so that what is seen is what the file system told.
  const source = createFileSource({
    directory: directory.path,
    clock: systemClock,
    log: silentLog,
    interval: 60_000,
  });
  await source.start(() => {});
  const ports = () =>
    source.content()?.workloads.flatMap((workload) => workload.ports.map(({ port }) => port));
  return {
    source,
    directory,
    ports,
    [Symbol.asyncDispose]: async () => {
      await source.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

describe('a registry in files', () => {
  test('is read, joined across files and documents, and followed', async () => {
    await using registry = await start({ 'a.yaml': `${orders()}---\n${service}` });
    expect(registry.source.content()).toMatchObject({
      workloads: [{ id: 'files/shop/orders-1', proxy: 'explicit', serviceAccount: 'orders' }],
      services: [
        {
          id: 'shop/orders',
          hosts: ['orders.shop'],
          ports: [
            { port: 80, endpoints: [{ address: '127.0.0.1', port: 8080, workload: 'files/shop/orders-1' }] },
          ],
        },
      ],
    });
    await writeFile(registry.directory.join('a.yaml'), orders(8081));
    await waitFor(() => registry.ports()?.[0] === 8081, { what: 'the change to be read' });
    expect(registry.source.content()?.services).toEqual([]);
  });

  test('a file that is swapped in by a rename is seen, one that is deleted is gone', async () => {
    await using registry = await start({ 'a.yaml': orders() });
    await writeFile(registry.directory.join('.new'), orders(8082));
    await rename(registry.directory.join('.new'), registry.directory.join('a.yaml'));
    await waitFor(() => registry.ports()?.[0] === 8082, { what: 'the renamed file to be read' });
    await rm(registry.directory.join('a.yaml'));
    await waitFor(() => registry.ports()?.length === 0, { what: 'the deleted file to be gone' });
  });

  test.each([
    ['a field that does not exist', `${orders()}  colour: red\n`, 'a.yaml:9:3: spec.colour: unknown key'],
    ['a port out of range', orders(70_000), 'a.yaml:8:18: spec.ports[0].port'],
    ['text that is not YAML', '{', 'not valid YAML'],
    ['another kind', 'kind: Gadget\nmetadata: {name: x}\n', 'a.yaml:1:7: kind: is none that is read here'],
  ])('%s: the last good form stays, and the problem is told with its place', async (_what, text, problem) => {
    await using registry = await start({ 'a.yaml': orders(), 'b.yaml': service });
    await writeFile(registry.directory.join('a.yaml'), text);
    await waitFor(() => registry.source.state().rejected.length > 0, { what: 'the problem to be told' });
    expect(registry.source.state().rejected[0]?.reason).toContain(problem);
    if (!text.includes('Gadget')) expect(registry.ports()).toEqual([8080]);
    expect(registry.source.content()?.services).toHaveLength(1);
  });

  test('an object that was never good is left out alone', async () => {
    await using registry = await start({ 'a.yaml': `${orders(0)}---\n${service}` });
    expect(registry.source.content()?.workloads).toEqual([]);
    expect(registry.source.content()?.services).toHaveLength(1);
  });

  test('of two files that name one object the first by name counts', async () => {
    await using registry = await start({ 'a.yaml': orders(1), 'b.yaml': orders(2) });
    expect(registry.ports()).toEqual([1]);
  });

  test('a directory that goes away leaves what was read', async () => {
    await using registry = await start({ 'a.yaml': orders() });
    await rename(registry.directory.path, `${registry.directory.path}-away`);
    await waitFor(() => registry.source.state().problem !== undefined, { what: 'the loss to be noticed' });
    expect(registry.ports()).toEqual([8080]);
    await rename(`${registry.directory.path}-away`, registry.directory.path);
  });

  test('what is not for it is not read: other endings, hidden files, what is too large', async () => {
    await using registry = await start({
      'a.txt': orders(1),
      '.b.yaml': orders(2),
      'c.yaml': `#${'x'.repeat(17e6)}`,
    });
    await mkdir(registry.directory.join('below'));
    await writeFile(
      registry.directory.join('below/d.json'),
      JSON.stringify({ kind: 'x', metadata: { name: 'y' } }),
    );
    await waitFor(() => registry.source.state().rejected.some(({ object }) => object === 'below/d.json'), {
      what: 'the file below to be read',
    });
    expect(registry.ports()).toEqual([]);
    expect(
      registry.source
        .state()
        .rejected.map(({ object }) => object)
        .toSorted(),
    ).toEqual(['below/d.json', 'c.yaml']);
  });
});
