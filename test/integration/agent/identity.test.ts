import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { SpiffeWorkloadAPIClient } from '../../../src/gen/spiffe/workload/workload.ts';
import { startAgent, testToken, trustDomain, workloadId } from '../../fakes/agent-fixture.ts';
import { Inbox } from '../../fakes/sds-client.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { waitFor } from '../../parts/index.ts';

const hour = 3_600_000;

describe('the first certificate', () => {
  test('by token, with the cluster and the lifetime asked for', async () => {
    await using fixture = await startAgent({
      agent: { clusterId: 'east', certificate: { ttlSeconds: 900 } },
    });
    const identity = await waitFor(() => fixture.agent.snapshot().identity);
    expect(identity.id.toString()).toBe(workloadId);
    const [seen] = fixture.service.requests;
    expect(seen?.authorization).toBe(`Bearer ${testToken}`);
    expect(seen?.clusterId).toBe('east');
    expect(seen?.request.validityDuration).toBe(900n);
    expect(seen?.clientSerial).toBeUndefined();
    expect(JSON.stringify(fixture.lines)).not.toContain(testToken);
    expect(JSON.stringify(identity)).not.toContain('PRIVATE KEY');
  });

  test.each(['ecdsa-p384', 'rsa-2048', 'ed25519'] as const)('with a key of type %s', async (keyAlgorithm) => {
    await using fixture = await startAgent({ agent: { certificate: { keyAlgorithm } } });
    const identity = await waitFor(() => fixture.agent.snapshot().identity);
    const [kind] = keyAlgorithm.split('-');
    const expected = { ecdsa: 'ec', rsa: 'rsa', ed25519: 'ed25519' }[kind ?? ''];
    expect(identity.chain[0]?.publicKey.asymmetricKeyType).toBe(expected);
  });
});

describe('trust in the server', () => {
  const pinOf = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');

  test('by pin of the root, of its certificate or of its key', async () => {
    const authority = await TestAuthority.create(trustDomain);
    for (const der of [authority.rootDer, Buffer.from(authority.root.publicKey.rawData)]) {
      await using fixture = await startAgent({
        authority,
        service: { sendRoot: true },
        agent: { trust: { kind: 'pin', sha256: pinOf(der) } },
      });
      await waitFor(() => fixture.agent.snapshot().identity);
    }
  });

  test('a server with another root never sees the token', async () => {
    const stranger = await TestAuthority.create(trustDomain, 'stranger');
    const trusts = [
      { kind: 'pin', sha256: pinOf(stranger.rootDer) },
      { kind: 'bundle-pem', pem: stranger.rootPem },
    ] as const;
    for (const trust of trusts) {
      await using fixture = await startAgent({ service: { sendRoot: true }, agent: { trust } });
      const failures = () =>
        fixture.lines.filter(({ fields }) => fields['retryInMilliseconds'] !== undefined);
      await waitFor(() => failures().length >= 2);
      expect(fixture.service.requests).toEqual([]);
      expect(fixture.agent.snapshot().identity).toBeUndefined();
    }
  });

  test('a server with another name is refused, and so is one without a readable bundle file', async () => {
    const differences = [
      [{ server: { serverName: 'wrong.test' } }, 'Unavailable'],
      [{ trust: { kind: 'bundle-file', path: '/nonexistent/roots.pem' } }, 'FailedPrecondition'],
    ] as const;
    for (const [agent, code] of differences) {
      await using fixture = await startAgent({ agent });
      const line = await waitFor(() =>
        fixture.lines.find(({ fields }) => fields['retryInMilliseconds'] !== undefined),
      );
      expect(line.fields['code']).toBe(code);
      expect(fixture.service.requests).toEqual([]);
      expect(fixture.agent.snapshot().identity).toBeUndefined();
    }
  });

  test('a bundle file is read again at each use', async () => {
    const stranger = await TestAuthority.create(trustDomain, 'stranger');
    let path = '';
    const agent = {
      trust: {
        kind: 'bundle-file' as const,
        get path() {
          return path;
        },
      },
    };
    await using fixture = await startAgent({
      agent,
      prepare: async (_service, directory) => {
        path = directory.join('roots.pem');
        await writeFile(path, stranger.rootPem);
      },
    });
    await waitFor(() => fixture.lines.some(({ fields }) => fields['code'] === 'Unavailable'));
    await writeFile(path, stranger.rootPem + fixture.authority.rootPem);
    await waitFor(() => fixture.agent.snapshot().identity);
  });
});

describe('renewal', () => {
  test('at half of the lifetime, with a new key and the token as it is then', async () => {
    await using fixture = await startAgent({
      prepare: (service) => {
        service.lifetime = 4;
      },
    });
    const first = await waitFor(() => fixture.agent.snapshot().identity);
    await writeFile(fixture.directory.join('token'), 'second.token.here');
    const second = await waitFor(() => {
      const { identity } = fixture.agent.snapshot();
      return identity !== first && identity;
    });
    expect(fixture.service.requests[1]?.authorization).toBe('Bearer second.token.here');
    expect(second.chain[0]?.fields.spki).not.toEqual(first.chain[0]?.fields.spki);
    const waited = second.receivedAt.getTime() - first.notBefore.getTime();
    expect(waited).toBeGreaterThanOrEqual(0.44 * 4_000);
    expect(waited).toBeLessThan(4_000);
  });

  test('by the certificate in use, without a token', async () => {
    await using fixture = await startAgent({ agent: { renewWith: 'svid' } });
    const first = await waitFor(() => fixture.agent.snapshot().identity);
    fixture.agent.renewNow();
    await waitFor(() => fixture.service.serials.length === 2);
    expect(fixture.service.requests[1]?.authorization).toBeUndefined();
    expect(fixture.service.requests[1]?.clientSerial).toBe(first.serial);
  });

  test('the old certificate stays while the server is down, and is replaced when it is back', async () => {
    await using fixture = await startAgent();
    const first = await waitFor(() => fixture.agent.snapshot().identity);
    fixture.service.failWith = { code: status.UNAVAILABLE, details: 'restarting' };
    fixture.agent.renewNow();
    await waitFor(() => fixture.service.requests.length >= 4);
    expect(fixture.agent.snapshot().identity).toBe(first);
    fixture.service.failWith = undefined;
    await waitFor(() => fixture.agent.snapshot().identity?.serial === fixture.service.serials[1]);
  });

  test('a refusal is retried slower, and said clearly', async () => {
    await using fixture = await startAgent({
      prepare: (service) => {
        service.failWith = { code: status.UNAUTHENTICATED, details: 'the token has expired' };
      },
      agent: { refusedBackoff: { baseMilliseconds: hour, maximumMilliseconds: hour } },
    });
    const line = await waitFor(() => fixture.lines.find(({ level }) => level === 'error'));
    expect(line.message).toContain('the server refuses');
    expect(line.fields).toMatchObject({ code: 'Unauthenticated', reason: 'the token has expired' });
    expect(line.fields['retryInMilliseconds']).toBeGreaterThan(100);
    expect(fixture.service.requests).toHaveLength(1);
  });

  test('an expired certificate is given to nobody new, and the log says so', async () => {
    await using fixture = await startAgent({
      prepare: (service) => {
        service.lifetime = 2;
      },
    });
    const first = await waitFor(() => fixture.agent.snapshot().identity);
    fixture.service.failWith = { code: status.UNAVAILABLE, details: 'gone' };
    const line = await waitFor(() => fixture.lines.find(({ message }) => message.includes('EXPIRED')));
    expect(line.level).toBe('error');
    expect(fixture.agent.snapshot().identity).toBe(first);
    const metadata = new Metadata();
    metadata.set('workload.spiffe.io', 'true');
    const stub = new SpiffeWorkloadAPIClient(`unix:${fixture.socketPath}`, credentials.createInsecure());
    using svids = new Inbox(stub.fetchX509Svid({}, metadata));
    await expect(svids.next()).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    stub.close();
  });
});

describe('a reply that is not what was asked for is refused', () => {
  test('and nothing of it is used', async () => {
    const stranger = await TestAuthority.create(trustDomain, 'stranger');
    const foreign = await stranger.issueServing({ uris: [workloadId] });
    const cases: readonly [(chain: string[]) => string[], RegExp][] = [
      [(chain) => chain.slice(0, 1), /it has no roots/],
      [() => [...foreign.chainPem, stranger.rootPem], /another key than ours/],
      [(chain) => [...chain.slice(0, -1), stranger.rootPem], /RFC 5280 6.1/],
      [(chain) => [...chain.slice(0, -1), ''], /it has 0 roots/],
    ];
    await using fixture = await startAgent();
    const first = await waitFor(() => fixture.agent.snapshot().identity);
    for (const [tamper, reason] of cases) {
      fixture.service.tamper = tamper;
      fixture.agent.renewNow();
      await waitFor(() => fixture.lines.some(({ fields }) => reason.test(String(fields['reason']))), {
        deadline: 5_000,
      });
    }
    expect(fixture.agent.snapshot().identity).toBe(first);
  });

  test('a certificate with another name than ours', async () => {
    await using fixture = await startAgent();
    const first = await waitFor(() => fixture.agent.snapshot().identity);
    fixture.service.spiffeId = `spiffe://${trustDomain}/ns/shop/sa/other`;
    fixture.agent.renewNow();
    await waitFor(() => fixture.lines.some(({ fields }) => /but we are/.test(String(fields['reason']))));
    expect(fixture.agent.snapshot().identity).toBe(first);
  });

  test('another trust domain than the configured one', async () => {
    await using fixture = await startAgent({ agent: { trustDomain: 'elsewhere.test' } });
    await waitFor(() =>
      fixture.lines.some(({ fields }) => /in the trust domain/.test(String(fields['reason']))),
    );
    expect(fixture.agent.snapshot().identity).toBeUndefined();
  });
});
