import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasPart, waitFor } from '../../parts/index.ts';
import { hasNamespaces } from '../../support/netns/index.ts';
import { proxyUser } from './proxy.ts';
import { addresses, denied, deniedToAll, peers, registry } from './registry.ts';
import { startWorld, type World } from './world.ts';

const web = 'URI=spiffe://example.org/ns/shop/sa/web';
const mine = ['--user', String(proxyUser), '--yes'] as const;
const [orders4, orders6] = addresses.orders;
const outside4 = addresses.outside[0];

describe.skipIf(!hasPart('envoy') || !hasPart('nftables') || !hasNamespaces())('transparent capture', () => {
  let world: World;
  const call = (from: keyof Omit<World, 'mesh' | symbol>, url: string, headers = {}) =>
    world[from].inside.get({ url, headers });
  const peerMode = (mode: string) => policy('peers.yaml', peers(mode), mode);
  const policy = async (file: string, text: string, what: string) => {
    await world.mesh.write(file, text);
    await waitFor(
      () =>
        world.mesh.server.app.controlPlane
          ?.proxies()
          .every(({ resources }) => resources.every(({ accepted, wanted }) => accepted === wanted)),
      { what: `${what} to be accepted` },
    );
  };
  let connections = 0;
  const dial = async (from: 'web' | 'orders' | 'outside', host: string, port: number) => {
    connections += 1;
    const id = connections;
    const opened = await world[from].inside.open({ id, host, port });
    return { opened, say: (text: string) => world[from].inside.say({ id, text }) };
  };

  beforeAll(async () => {
    world = await startWorld({ 'shop.yaml': registry, 'peers.yaml': peers('PERMISSIVE') });
    for (const name of ['web', 'orders', 'outside'] as const) {
      await world[name].inside.serveHttp({ name, port: 8080 });
      await world[name].inside.serveEcho({ port: 9000 });
      await world[name].inside.serveEcho({ port: 7070 });
      await world[name].inside.serveEcho({ port: 7071 });
    }
    for (const machine of [world.web, world.orders])
      expect(await machine.capture('apply', ...mine)).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  test.each([
    ['IPv4', 'http://10.96.0.10/a'],
    ['IPv6', 'http://[fd00:96::10]/a'],
    ['IPv4, to an endpoint itself', `http://${orders4}:8080/a`],
    ['IPv6, to an endpoint itself', `http://[${orders6}]:8080/a`],
  ])('gives an application that knows nothing mutual TLS, over %s', async (_family, url) => {
    const requests = '^cluster\\.(outbound|direct)/shop/orders.*\\.upstream_rq_total$';
    const before = await world.web.count(requests);
    const reply = await call('web', url);
    expect(reply).toMatchObject({ status: 200, body: 'orders GET /a' });
    expect(reply.headers?.['x-caller']).toContain(web);
    expect(await world.web.count(requests)).toBe(before + 1);
    for (const [machine, handshakes] of [
      [world.web, '^cluster\\.(outbound|direct)/shop/orders.*\\.ssl\\.handshake$'],
      [world.orders, '^listener\\..*_15006\\.ssl\\.handshake$'],
    ] as const)
      expect(await machine.count(handshakes)).toBeGreaterThan(0);
    expect(await world.web.count('ssl\\.(fail_verify.*|connection_error)$')).toBe(0);
  });

  test('finds a service without an address by the host of the request', async () => {
    const before = await world.web.count(
      '^cluster\\.outbound/shop/orders-headless/8080\\.upstream_rq_total$',
    );
    const reply = await call('web', `http://${orders4}:8080/b`, { host: 'orders-headless.shop' });
    expect(reply).toMatchObject({ status: 200, body: 'orders GET /b' });
    expect(reply.headers?.['x-caller']).toContain(web);
    expect(await world.web.count('^cluster\\.outbound/shop/orders-headless/8080\\.upstream_rq_total$')).toBe(
      before + 1,
    );
  });

  test.each([
    ['IPv4', orders4, 9000, 'direct/shop/orders-headless/9000'],
    ['IPv6', orders6, 9000, 'direct/shop/orders-headless/9000'],
    ['a virtual address, to a port that is not declared', '10.96.0.10', 7, 'outbound/shop/orders/7'],
  ])('gives it to bytes too: %s', async (_what, host, port, cluster) => {
    const handshakes = `^cluster\\.${cluster}\\.ssl\\.handshake$`;
    const before = await world.web.count(handshakes);
    const { opened, say } = await dial('web', host, port);
    expect(opened).toEqual({});
    expect(await say('ping')).toEqual({ body: 'ping' });
    expect(await world.web.count(handshakes)).toBe(before + 1);
  });

  test('loses nothing that is not of the mesh', async () => {
    const passed = await world.web.count('^cluster\\.passthrough\\.upstream_cx_total$');
    expect(await call('web', `http://${outside4}:8080/c`)).toMatchObject({
      status: 200,
      body: 'outside GET /c',
    });
    expect(await world.web.count('^cluster\\.passthrough\\.upstream_cx_total$')).toBe(passed + 1);
    const { say } = await dial('web', outside4, 9000);
    expect(await say('bytes')).toEqual({ body: 'bytes' });
  });

  test('leaves an application’s calls to its own machine alone', async () => {
    const before = await world.web.count('^listener\\..*1500[16]\\.downstream_cx_total$');
    for (const url of [
      `http://${addresses.web[0]}:8080/`,
      `http://[${addresses.web[1]}]:8080/`,
      'http://127.0.0.1:8080/',
      'http://[::1]:8080/',
    ]) {
      const reply = await call('web', url);
      expect(reply.headers?.['x-caller']).toBe('nobody known');
    }
    expect(await world.web.count('^listener\\..*1500[16]\\.downstream_cx_total$')).toBe(before);
  });

  test('tells ports that are not declared apart by policies, and keeps evidence of them together', async () => {
    const evidence = async () => {
      const known = await world.mesh.server.app.store.evidence.list();
      return known.find(({ workload }) => workload === 'files/shop/orders-1');
    };
    const allArrived = async () => {
      const now = new Date();
      await waitFor(
        async () => {
          const account = (await evidence())?.account;
          return (
            account && account.confirmedAt && account.confirmedAt > now && account.brokenAt === undefined
          );
        },
        { what: 'all entries' },
      );
    };
    const calls = async () => {
      const callers = (await evidence())?.ports.get(0)?.callers ?? [];
      return callers.map(({ address, count }) => `${address} ${count}`);
    };
    await policy('one-port.yaml', deniedToAll, 'a denial of one port');
    await waitFor(async () => (await (await dial('outside', orders4, 7070)).say('a')).failed, {
      what: 'the denial',
    });
    await allArrived();
    const before = await calls();
    expect(before.length).toBeLessThanOrEqual(1);

    const passed = await dial('outside', orders4, 7071);
    expect(await passed.say('hello')).toEqual({ body: 'hello' });
    // Nothing listens there: the proxy takes the connection, and finds nobody behind it.
    for (let port = 5_000; port < 5_008; port++) {
      const { opened, say } = await dial('outside', orders4, port);
      if (opened.failed === undefined) expect(await say('x')).toHaveProperty('failed');
    }
    expect(await (await dial('outside', orders4, 7070)).say('a')).toHaveProperty('failed');
    await allArrived();
    const count = Number(before[0]?.split(' ')[1] ?? 0);
    expect(await calls()).toEqual([`10.77.2.1 ${count + 1}`]);
    const known = await evidence();
    expect([...(known?.ports.keys() ?? [])].filter((port) => ![0, 8080, 9000].includes(port))).toEqual([]);
    expect(known?.ports.get(0)?.denials).toMatchObject({ caller: '10.77.2.1', policy: 'shop/one-port' });
    await policy('one-port.yaml', '', 'its end');
    await waitFor(async () => (await (await dial('outside', orders4, 7070)).say('a')).body, {
      what: 'calls to pass again',
    });
  });

  test('takes plaintext from outside while the callee is permissive, and not when it is strict', async () => {
    const urls = [`http://${orders4}:8080/`, `http://[${orders6}]:8080/`];
    for (const url of urls) {
      const reply = await call('outside', url);
      expect(reply).toMatchObject({ status: 200 });
      expect(reply.headers?.['x-caller']).toBe('nobody known');
    }
    for (const host of addresses.orders) {
      const undeclared = await dial('outside', host, 7070);
      expect(await undeclared.say('hello')).toEqual({ body: 'hello' });
    }

    await peerMode('STRICT');
    await waitFor(async () => (await call('outside', urls[0] ?? '')).failed, {
      what: 'plaintext to be refused',
    });
    for (const url of urls) expect((await call('outside', url)).failed).toBeDefined();
    for (const port of [7070, 9000]) {
      const { say } = await dial('outside', orders4, port);
      expect(await say('hello')).toHaveProperty('failed');
    }
    for (const url of ['http://10.96.0.10/', 'http://[fd00:96::10]/']) {
      const reply = await call('web', url);
      expect(reply.headers?.['x-caller']).toContain(web);
    }
    const { say } = await dial('web', '10.96.0.10', 7);
    expect(await say('ping')).toEqual({ body: 'ping' });
  });

  test('holds policies to ports that no registry declares', async () => {
    const reached = async () => await (await dial('web', '10.96.0.10', 7)).say('ping');
    expect(await reached()).toEqual({ body: 'ping' });
    await policy('denied.yaml', denied, 'a denial');
    await waitFor(async () => (await reached()).failed, { what: 'the call to be denied' });
    expect(await call('web', 'http://10.96.0.10/')).toMatchObject({ status: 200 });
    await policy('denied.yaml', '', 'its end');
    await waitFor(async () => (await reached()).body, { what: 'the call to pass again' });
  });

  test.each(['http://10.96.0.11/', 'http://[fd00:96::11]/'])(
    'brings a workload that calls its own service, %s, to its own proxy as anyone',
    async (url) => {
      const reply = await call('web', url);
      expect(reply).toMatchObject({ status: 200, body: 'web GET /' });
      expect(reply.headers?.['x-caller']).toContain(web);
    },
  );

  test.each([
    ['web', '127.0.0.1', 15_001],
    ['web', '::1', 15_001],
    ['web', '127.0.0.1', 15_006],
    ['web', addresses.web[0], 15_006],
    ['web', addresses.web[0], 15_001],
    ['outside', orders4, 15_006],
    ['outside', orders6, 15_006],
    ['outside', orders4, 15_001],
  ] as const)('refuses a connection from %s to a capture port itself: %s:%d', async (from, host, port) => {
    const total = async () => (await world.web.count('cx_total$')) + (await world.orders.count('cx_total$'));
    const before = await total();
    const { opened } = await dial(from, host, port);
    expect(opened).toEqual({ failed: 'ECONNREFUSED' });
    expect((await total()) - before).toBeLessThanOrEqual(2); // the admin's own
  });

  test('lets go direct what is excluded, and keeps open what was open', async () => {
    const open = await dial('web', '10.96.0.10', 7);
    expect(await open.say('before')).toEqual({ body: 'before' });
    const captured = () => world.web.count('^listener\\..*15001\\.downstream_cx_total$');
    const direct = async (...options: readonly string[]) => {
      const { code, stderr } = await world.web.capture('apply', ...mine, ...options);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const before = await captured();
      const reply = await call('web', `http://${outside4}:8080/`);
      expect(reply.status).toBe(200);
      return (await captured()) === before;
    };
    expect(await direct()).toBe(false);
    expect(await direct('--exclude-outbound-ports', '8000-8100')).toBe(true);
    expect(await direct('--exclude-outbound-cidrs', '10.77.1.0/24')).toBe(true);
    expect(await direct('--include-outbound-ports', '80')).toBe(true);
    expect(await direct('--include-outbound-cidrs', '10.96.0.0/16,fd00:96::/64')).toBe(true);
    expect(await direct('--families', 'ipv6')).toBe(true);
    expect(await direct('--include-outbound-cidrs', '10.77.1.1')).toBe(false);
    expect(await direct()).toBe(false);
    expect(await open.say('after')).toEqual({ body: 'after' });
  });

  test('lets in direct what is excluded, in a strict workload too', async () => {
    expect((await call('outside', `http://${orders4}:8080/`)).failed).toBeDefined();
    expect(await world.orders.capture('apply', ...mine, '--exclude-inbound-ports', '8080')).toMatchObject({
      code: 0,
    });
    expect(await call('outside', `http://${orders4}:8080/`)).toMatchObject({ status: 200 });
    const { say } = await dial('outside', orders4, 7070);
    expect(await say('hello')).toHaveProperty('failed');
    expect(await world.orders.capture('apply', ...mine)).toMatchObject({ code: 0 });
    expect((await call('outside', `http://${orders4}:8080/`)).failed).toBeDefined();
  });

  test('shows what is there, and gives everything back', async () => {
    const shown = await world.orders.capture('show');
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toContain('redirect to :15006');
    expect(
      await world.orders.capture('apply', '--user', String(proxyUser), '--inbound-port', '16006'),
    ).toMatchObject({ code: 1 });
    expect(await world.orders.capture('show')).toEqual(shown);

    expect(await world.orders.capture('remove')).toMatchObject({ code: 0 });
    expect(await world.orders.capture('show')).toMatchObject({ code: 66 });
    expect(await world.orders.capture('remove')).toMatchObject({ code: 0 });
    expect(await call('outside', `http://${orders4}:8080/`)).toMatchObject({ status: 200 });
    const { stdout } = await world.orders.inside.run({ command: 'nft', args: ['list', 'ruleset'] });
    expect(stdout.trim()).toBe('');
  });

  test('is not needed for a connection that has nowhere to go to end: Envoy refuses it too', async () => {
    expect(await world.web.capture('remove')).toMatchObject({ code: 0 });
    for (const [machine, from, host, port] of [
      [world.orders, 'outside', orders4, 15_006],
      [world.web, 'web', '127.0.0.1', 15_001],
    ] as const) {
      const counter = `^listener\\..*_${port}\\.downstream_cx_total$`;
      const before = await machine.count(counter);
      const { opened, say } = await dial(from, host, port);
      expect(opened).toEqual({});
      expect(await say('hello')).toHaveProperty('failed');
      expect(await machine.count(counter)).toBe(before + 1);
    }
  });

  test('leaves what was open before it where it is', async () => {
    // It is no declared port: all of these are one.
    const deniedThere = async () => {
      const known = await world.mesh.server.app.store.evidence.list();
      const orders = known.find(({ workload }) => workload === 'files/shop/orders-1');
      return orders?.ports.get(0)?.denials?.count ?? 0;
    };
    const told = await deniedThere();
    const before = await dial('outside', orders4, 7070);
    expect(await before.say('direct')).toEqual({ body: 'direct' });
    expect(await world.orders.capture('apply', ...mine)).toMatchObject({ code: 0 });
    expect(await before.say('still direct')).toEqual({ body: 'still direct' });
    const after = await dial('outside', orders4, 7070);
    expect(await after.say('captured')).toHaveProperty('failed');
    // The server is told of it, on the stream on which it was told of all before: it had no entry to refuse there.
    await waitFor(async () => (await deniedThere()) > told, { what: 'evidence of the refusal' });
    expect(await world.orders.count('^cluster\\.citadel_server\\.upstream_rq_[rt]x_reset$')).toBe(0);
  });
});
