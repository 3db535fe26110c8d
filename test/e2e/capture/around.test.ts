import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasPart, waitFor } from '../../parts/index.ts';
import {
  connectNamespaces,
  hasNamespaces,
  type NetworkNamespace,
  networkNamespace,
  type RunResult,
} from '../../support/netns/index.ts';
import { captureIn } from './command.ts';

const address = { ipv4: '10.78.0.1', ipv6: 'fd78::1' } as const;
const application = 8080;

/** The kernel's rules alone: what stands at the capture port says only that it was reached. */
describe.skipIf(!hasPart('nftables') || !hasNamespaces())('the rules of capture', () => {
  const stack = new AsyncDisposableStack();
  let captured: NetworkNamespace;
  let stranger: NetworkNamespace;
  let connections = 0;
  const run = async (where: NetworkNamespace, command: string, ...args: readonly string[]) => {
    const result: RunResult = await where.inside.run({ command, args });
    expect(result).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const capture = (...args: readonly string[]) => captureIn(captured.inside, ...args);
  const apply = async (...args: readonly string[]) => {
    expect(await capture('apply', '--user', '1337', '--yes', ...args)).toMatchObject({ code: 0 });
  };
  /** Who answers, or how it fails. */
  const reached = async (host: string, port: number = application, localPort?: number) => {
    connections += 1;
    const id = connections;
    const from = localPort === undefined ? {} : { localPort };
    const { failed } = await stranger.inside.open({ id, host, port, ...from });
    if (failed !== undefined) return failed;
    const { body } = await stranger.inside.say({ id, text: 'GET / HTTP/1.0\r\n\r\n' });
    return /(proxy|application) GET/.exec(body ?? '')?.[1];
  };
  const linkLocal = async (): Promise<string> => {
    const text = await run(captured, 'ip', '-6', 'address', 'show', 'dev', 'eth0', 'scope', 'link');
    return `${/fe80::[0-9a-f:]+/.exec(text)?.[0]}%far`;
  };

  beforeAll(async () => {
    captured = stack.use(await networkNamespace('captured'));
    stranger = stack.use(await networkNamespace('stranger'));
    connectNamespaces(
      { namespace: captured, device: 'eth0', addresses: [`${address.ipv4}/24`, `${address.ipv6}/64`] },
      { namespace: stranger, device: 'far', addresses: ['10.78.0.2/24', 'fd78::2/64'] },
    );
    await captured.inside.serveHttp({ name: 'application', port: application });
    await captured.inside.serveHttp({ name: 'proxy', port: 15_006 });
    await waitFor(async () => (await reached(await linkLocal())) === 'application', {
      what: 'the link-local address',
    });
  });
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  test('bring each address of a machine to its proxy', async () => {
    await apply();
    for (const host of [...Object.values(address), await linkLocal()])
      expect(await reached(host)).toBe('proxy');
  });

  test('let nobody in by the family that is not captured, unless the port is left out', async () => {
    await apply('--families', 'ipv4');
    expect(await reached(address.ipv4)).toBe('proxy');
    for (const host of [address.ipv6, await linkLocal()]) expect(await reached(host)).toBe('ECONNREFUSED');
    await apply('--families', 'ipv4', '--exclude-inbound-ports', String(application));
    for (const host of Object.values(address)) expect(await reached(host)).toBe('application');
    await apply('--families', 'ipv4', '--include-inbound-ports', '80');
    for (const host of Object.values(address)) expect(await reached(host)).toBe('application');
  });

  test('do not take a connection for one that was open before, because of a stray packet', async () => {
    await apply();
    const localPort = 40_001;
    const link = await run(captured, 'cat', '/sys/class/net/eth0/address');
    const neighbour = (hardware: string) =>
      run(stranger, 'ip', 'neigh', 'replace', address.ipv4, 'lladdr', hardware, 'dev', 'far');
    // Of a connection of its own the first packet goes out without SYN, to the Ethernet address of all: the kernel there
    // notes a connection in the midst of its life, and no socket answers. What is sent again is as it should be.
    await neighbour('ff:ff:ff:ff:ff:ff');
    await run(
      stranger,
      'nft',
      `table ip trick { chain output { type filter hook output priority 0; tcp sport ${localPort} tcp flags syn limit rate 1/hour burst 1 packets tcp flags set ack counter; }; }`,
    );
    const opened = reached(address.ipv4, application, localPort);
    await waitFor(
      async () => (await run(stranger, 'nft', 'list', 'table', 'ip', 'trick')).includes('packets 1 '),
      { what: 'the stray packet' },
    );
    await neighbour(link.trim());
    expect(await opened).toBe('ECONNREFUSED');
    // He is kept out with that alone.
    expect(await reached(address.ipv4)).toBe('proxy');
  });

  test('leave tables of others as they are, applied, applied again, and removed', async () => {
    await capture('remove');
    await run(
      captured,
      'nft',
      'table inet foreign { chain input { type filter hook input priority 5; tcp dport 9 drop; }; }',
    );
    const before = await run(captured, 'nft', 'list', 'ruleset');
    await apply();
    const applied = await run(captured, 'nft', 'list', 'ruleset');
    await apply('--exclude-inbound-ports', '1-21,23-1000', '--include-outbound-cidrs', '0.0.0.0/0,::/0');
    expect(await run(captured, 'nft', 'list', 'table', 'inet', 'foreign')).toBe(before);
    await apply();
    expect(await run(captured, 'nft', 'list', 'ruleset')).toBe(applied);
    expect(await capture('remove')).toMatchObject({ code: 0 });
    expect(await run(captured, 'nft', 'list', 'ruleset')).toBe(before);
  });
});
