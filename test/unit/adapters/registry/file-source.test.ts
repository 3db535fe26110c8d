import { execFile } from 'node:child_process';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createFileSource } from '../../../../src/adapters/registry/index.ts';
import type { Archive } from '../../../../src/domain/ports/index.ts';
import { silentLog, systemClock } from '../../../../src/kernel/index.ts';
import { memoryArchive } from '../../../fakes/memory-archive.ts';
import { type TemporaryDirectory, temporaryDirectory, waitFor } from '../../../parts/index.ts';

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

interface StartOptions {
  readonly archive?: Archive;
  readonly directory?: TemporaryDirectory;
  readonly interval?: number;
}

async function start(
  files: Readonly<Record<string, string>>,
  // Long, so that what is seen is what the file system told.
  { archive = memoryArchive(), directory, interval = 60_000 }: StartOptions = {},
) {
  const home = directory ?? (await temporaryDirectory('registry'));
  for (const [name, text] of Object.entries(files)) await writeFile(home.join(name), text);
  const source = createFileSource({
    directory: home.path,
    archive,
    clock: systemClock,
    log: silentLog,
    interval,
  });
  await source.start(() => {});
  const ports = () =>
    source.content()?.workloads.flatMap((workload) => workload.ports.map(({ port }) => port));
  const reasons = () => source.state().rejected.map(({ reason }) => reason);
  return {
    source,
    directory: home,
    ports,
    reasons,
    [Symbol.asyncDispose]: async () => {
      await source.close();
      if (!directory) await home[Symbol.asyncDispose]();
    },
  };
}

/** Has the source look now: while its directory was away nothing told it of changes. */
async function look({ directory }: { readonly directory: TemporaryDirectory }): Promise<void> {
  await writeFile(directory.join('.touched'), '');
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
    await using registry = await start({ 'a.yaml': orders(), 'empty.yaml': '' });
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

  test('a directory that goes away leaves what was read, and is followed again when it is back', async () => {
    await using registry = await start({ 'a.yaml': orders() }, { interval: 20 });
    await rename(registry.directory.path, `${registry.directory.path}-away`);
    await waitFor(() => registry.source.state().problem !== undefined, { what: 'the loss to be noticed' });
    expect(registry.ports()).toEqual([8080]);
    await writeFile(`${registry.directory.path}-away/a.yaml`, orders(8083));
    await rename(`${registry.directory.path}-away`, registry.directory.path);
    await waitFor(() => registry.ports()?.[0] === 8083, { what: 'the directory to be read again' });
    expect(registry.source.state().problem).toBeUndefined();
  });

  test('a directory without a single file is one that is not there yet, until an empty file says otherwise', async () => {
    await using registry = await start({ 'a.yaml': orders() });
    await rm(registry.directory.join('a.yaml'));
    await waitFor(() => registry.source.state().problem?.includes('holds no file any more'), {
      what: 'the emptiness to be told',
    });
    expect(registry.ports()).toEqual([8080]);
    await writeFile(registry.directory.join('none.yaml'), '');
    await waitFor(() => registry.ports()?.length === 0, { what: 'all to be gone' });
    await rm(registry.directory.join('none.yaml'));
    await writeFile(registry.directory.join('b.yaml'), orders(8087));
    await waitFor(() => registry.ports()?.[0] === 8087, { what: 'the next file' });
    expect(registry.source.state().problem).toBeUndefined();
  });

  test('a file that is written in place never counts while it is empty or half there', async () => {
    const all = `${orders()}---\n${service}`;
    await using registry = await start({ 'a.yaml': all });
    const seen = new Set<string>();
    const watch = setInterval(() => {
      const { workloads = [], services = [] } = registry.source.content() ?? {};
      seen.add(`${workloads.length} ${services.length}`);
    }, 1);
    const changed = `${orders(8084)}---\n${service}`;
    const file = registry.directory.join('a.yaml');
    for (const part of [0, 0.5, 0.9, 1]) {
      await writeFile(file, changed.slice(0, changed.length * part));
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await waitFor(() => registry.ports()?.[0] === 8084, { what: 'the whole file to be read' });
    clearInterval(watch);
    expect([...seen]).toEqual(['1 1']);
    expect(registry.source.state()).toMatchObject({ rejected: [], warnings: [] });
  });

  test.each<[string, (path: string) => Promise<unknown>, string]>([
    ['a link to itself', (path) => symlink('a.yaml', path), 'ELOOP'],
    ['a link that leads nowhere', (path) => symlink('nowhere', path), 'ENOENT'],
    ['a pipe', (path) => promisify(execFile)('mkfifo', [path]), 'is no regular file'],
    ['a device', (path) => symlink('/dev/zero', path), 'is no regular file'],
    ['bytes that are no text', (path) => writeFile(path, Buffer.from([0xc3, 0x28])), 'is not UTF-8 text'],
    ['a directory', (path) => symlink('/', path), 'is no regular file'],
  ])(
    '%s in a file’s place is told, keeps what the file held, and stops no other',
    async (_what, make, why) => {
      await using registry = await start({ 'a.yaml': orders(), 'b.yaml': service });
      await make(registry.directory.join('.new'));
      await rename(registry.directory.join('.new'), registry.directory.join('a.yaml'));
      await waitFor(() => registry.reasons().some((reason) => reason.includes(why)), { what: 'the problem' });
      expect(registry.source.state().rejected).toEqual([
        { object: 'a.yaml', reason: expect.stringContaining('a.yaml: '), kept: true },
      ]);
      expect(registry.ports()).toEqual([8080]);
      await writeFile(registry.directory.join('b.yaml'), service.replaceAll('orders}', 'others}'));
      await waitFor(() => registry.source.content()?.services[0]?.ports[0]?.endpoints.length === 0, {
        what: 'the other file to be followed',
      });
    },
  );

  test.skipIf(process.getuid?.() === 0)('a file and a directory without permission are told', async () => {
    await using registry = await start({ 'a.yaml': orders(), 'b.yaml': service });
    await mkdir(registry.directory.join('below'));
    await chmod(registry.directory.join('a.yaml'), 0);
    await chmod(registry.directory.join('below'), 0);
    await look(registry);
    await waitFor(() => registry.reasons().length > 0, { what: 'the problem' });
    expect(registry.source.state().warnings.join()).toContain('EACCES');
    expect(registry.ports()).toEqual([8080]);
    await chmod(registry.directory.join('below'), 0o700);
  });

  test('a directory that cannot be looked into keeps what it held, and stops nothing else', async () => {
    const deep = Array.from({ length: 9 }, (_, depth) => `d${depth}`).join('/');
    await using registry = await start({ 'a.yaml': orders() });
    await mkdir(registry.directory.join(deep), { recursive: true });
    await look(registry);
    await waitFor(() => registry.source.state().warnings[0]?.includes('lies deeper than 8'), {
      what: 'the warning',
    });
    await writeFile(registry.directory.join('a.yaml'), orders(8085));
    await waitFor(() => registry.ports()?.[0] === 8085, { what: 'the rest to be followed' });
  });

  test('a broken object that moves to another file keeps its last good form', async () => {
    await using registry = await start({ 'a.yaml': `${orders()}---\n${service}`, 'z.yaml': '' });
    await writeFile(registry.directory.join('b.yaml'), orders(70_000));
    await waitFor(() => registry.reasons().length > 0, { what: 'the problem' });
    await rm(registry.directory.join('a.yaml'));
    await waitFor(() => registry.source.content()?.services.length === 0, {
      what: 'the first file to be gone',
    });
    expect(registry.ports()).toEqual([8080]);
  });

  test('of two files that name one object the first by name counts, and the other is told where they differ', async () => {
    await using registry = await start({ 'a.yaml': orders(1), 'b.yaml': orders(1), 'c.yaml': orders(2) });
    expect(registry.ports()).toEqual([1]);
    expect(registry.source.state().shadowed).toEqual([
      {
        object: 'Workload/shop/orders-1',
        reason: 'c.yaml:2: does not count: a.yaml has another Workload/shop/orders-1',
      },
    ]);
  });

  test('a look that is under way at the close changes nothing any more', async () => {
    await using directory = await temporaryDirectory('registry');
    await writeFile(directory.join('a.yaml'), orders());
    let looks = 0;
    let closing: Promise<void> | undefined;
    let late = 0;
    // Each look asks for the time in its midst: the third one that sees the change finds it settled, and the source closed.
    const now = () => {
      if (looks > 0) looks += 1;
      if (looks < 4) return new Date();
      closing ??= source.close();
      return new Date(Date.now() + 60_000);
    };
    const source = createFileSource({
      directory: directory.path,
      archive: memoryArchive(),
      clock: { ...systemClock, now },
      log: silentLog,
      interval: 1,
    });
    await source.start(() => {
      if (closing) late += 1;
    });
    await writeFile(directory.join('a.yaml'), orders(8086));
    looks = 1;
    await waitFor(() => closing !== undefined, { what: 'the close' });
    await closing;
    expect(late).toBe(0);
    expect(source.content()?.workloads[0]?.ports[0]?.port).toBe(8080);
  });

  describe('over a restart', () => {
    const deny = (
      name: string,
      spec = 'action: DENY\n  rules: [{to: [{operation: {paths: ["/admin"]}}]}]',
    ) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ${name}}
spec:
  ${spec}
`;
    const mode = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec: {mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}}, selector: {matchLabels: {app: orders}}}
`;

    /** Starts with these files, stops, changes the directory and starts again with the same archive. */
    async function restart(
      files: Readonly<Record<string, string>>,
      meanwhile: (directory: TemporaryDirectory) => Promise<unknown>,
      archive = memoryArchive(),
    ) {
      const directory = await temporaryDirectory('registry');
      const first = await start(files, { archive, directory });
      const before = first.source.content();
      await first.source.close();
      await meanwhile(directory);
      const second = await start({}, { archive, directory });
      return {
        ...second,
        before,
        [Symbol.asyncDispose]: async () => {
          await second.source.close();
          await directory[Symbol.asyncDispose]();
        },
      };
    }
    const write = (name: string, text: string) => (directory: TemporaryDirectory) =>
      writeFile(directory.join(name), text);
    const names = (registry: Awaited<ReturnType<typeof start>>) =>
      registry.source.content()?.policies.map(({ meta }) => meta.name);

    test('what is broken by then keeps its last good form, and is told', async () => {
      await using registry = await restart(
        { 'a.yaml': deny('a') + '---' + mode, 'b.yaml': deny('b') },
        write('a.yaml', deny('a', 'action: DENYY') + '---' + mode.replace('STRICT', 'STRICTLY')),
      );
      expect(registry.source.content()?.policies).toEqual(registry.before?.policies);
      expect(registry.source.state().rejected).toEqual([
        { object: 'a.yaml', reason: expect.stringContaining('a.yaml:6:11'), kept: true },
        { object: 'a.yaml', reason: expect.stringContaining('spec.mtls.mode'), kept: true },
      ]);
    });

    test('also a second time, and where it is not YAML at all', async () => {
      const archive = memoryArchive();
      await using first = await restart({ 'a.yaml': deny('a') }, write('a.yaml', '{'), archive);
      expect(names(first)).toEqual(['a']);
      await first.source.close();
      await using second = await start({}, { archive, directory: first.directory });
      expect(names(second)).toEqual(['a']);
    });

    test('what is broken and was never good is told to be in force in no form', async () => {
      await using registry = await restart(
        { 'b.yaml': deny('b') },
        write('a.yaml', deny('a', 'action: DENYY')),
      );
      expect(names(registry)).toEqual(['b']);
      expect(registry.source.state().rejected).toMatchObject([{ object: 'a.yaml', kept: false }]);
    });

    test('what was taken away meanwhile is gone', async () => {
      await using registry = await restart(
        { 'a.yaml': deny('a') + '---' + mode, 'b.yaml': deny('b') },
        async (directory) => {
          await rm(directory.join('b.yaml'));
          await writeFile(directory.join('a.yaml'), deny('a'));
        },
      );
      expect(names(registry)).toEqual(['a']);
    });

    test.each<[string, (directory: TemporaryDirectory) => Promise<unknown>, string]>([
      ['away', ({ path }) => rename(path, `${path}-away`), 'ENOENT'],
      [
        'empty: a volume that is not mounted yet',
        (directory) => rm(directory.join('a.yaml')),
        'holds no file',
      ],
    ])('a directory that is %s leaves all as it was, with its age', async (_what, meanwhile, why) => {
      await using registry = await restart(
        { 'a.yaml': `${deny('a')}---\n${orders()}---\n${service}` },
        meanwhile,
      );
      expect(registry.source.content()).toEqual(registry.before);
      expect(registry.source.state().problem).toContain(why);
      expect(registry.source.state().currentAt).toBeInstanceOf(Date);
      await mkdir(registry.directory.path, { recursive: true });
      await writeFile(registry.directory.join('c.yaml'), deny('c'));
      await registry.source.close();
      await using third = await start({}, { directory: registry.directory });
      expect(names(third)).toEqual(['c']);
    });

    test('what was kept of another directory is not taken for this one’s', async () => {
      const archive = memoryArchive();
      await using first = await start({ 'a.yaml': deny('a') }, { archive });
      await first.source.close();
      await using second = await start({}, { archive });
      expect(second.source.content()?.policies).toEqual([]);
    });

    test('what was kept in a form that is not known is told and left alone', async () => {
      const archive = { ...memoryArchive(), load: async () => ({ content: { files: 1 }, at: new Date(0) }) };
      await using registry = await start({ 'a.yaml': deny('a') }, { archive });
      expect(names(registry)).toEqual(['a']);
      expect(registry.source.state().warnings[0]).toMatch(
        /^what was kept of files .* is left alone: it is no list/,
      );
    });
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
