import { beforeEach, describe, expect, it } from 'vitest';
import {
  hasPart,
  type OpenBao,
  startOpenBao,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from '../../parts/index.ts';
import { setUpAppRole } from '../../parts/vault-home.ts';
import { type Relay, startRelay } from '../../support/relay.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'it is old' };

let bao: OpenBao;
let relay: Relay;
let directory: TemporaryDirectory;

async function issue(server: TestServer): Promise<void> {
  const token = (await server.token()).reveal();
  await server.create({ csr: (await newRequest()).csr }, { token });
}

const rootOf = ({ app }: TestServer) => app.authority.issuer().record.rootFingerprint;
const phaseOf = async ({ app }: TestServer) => (await app.rotation.status()).rotation?.phase;

async function startServer(token: object = {}): Promise<TestServer> {
  const throughRelay = { request: bao.request.bind(bao), address: `http://127.0.0.1:${relay.port}` };
  const { vault, issuingKeys } = await vaultSettings(throughRelay, directory.path, token);
  return startTestServer({ keys: { vault }, issuingKeys }, { directory: directory.path });
}

async function begin({ app: { rotation } }: TestServer) {
  const { activeRoot } = await rotation.status();
  await rotation.start({ ...ann, oldRoot: activeRoot });
  return activeRoot;
}

const toDrain = ({ app }: TestServer) => app.rotation.continue({ ...ann, phase: 'distribute', force: false });

/** Goes on while the home of the root's key fails; then it is mended. */
async function expectPatience(server: TestServer, oldRoot: string, mend: () => unknown): Promise<void> {
  const { rotation } = server.app;
  expect(await phaseOf(server)).toBe('drain');
  // The old root's issuing authority goes on, and the status says that it is waited for.
  expect(rootOf(server)).toBe(oldRoot);
  await issue(server);
  const { gate } = await rotation.status();
  expect(gate).toMatchObject({ open: false, signing: [server.app.authority.issuer().record.id] });
  await mend();
  await waitFor(() => rootOf(server) !== oldRoot, { what: 'the new root to sign', deadline: 90_000 });
  await issue(server);
}

describe.skipIf(!hasPart('openbao'))('a rotation while OpenBao is in bad shape', () => {
  beforeEach(async () => {
    await using parts = new AsyncDisposableStack();
    directory = parts.use(await temporaryDirectory());
    // One for each: it holds the keys of one server.
    bao = parts.use(await startOpenBao());
    relay = parts.use(await startRelay(Number(new URL(bao.address).port)));
    const kept = parts.move();
    return () => kept.disposeAsync();
  });

  it('waits while the permission to sign is taken away, and goes on when it is given back', async () => {
    await using server = await startServer();
    const oldRoot = await begin(server);
    const policy = 'path "transit/keys/*" { capabilities = ["create", "read", "update", "list", "delete"] }';
    await bao.request('PUT', 'sys/policies/acl/citadel', { policy });
    await toDrain(server);
    await expectPatience(server, oldRoot, () => setUpAppRole(bao));
  }, 120_000);

  it('waits while OpenBao is killed and starts again sealed', async () => {
    await using server = await startServer();
    const oldRoot = await begin(server);
    await bao.restart({ kill: true, unseal: false });
    await toDrain(server);
    await expectPatience(server, oldRoot, () => bao.unseal());
  }, 120_000);

  it('waits while each answer takes longer than the timeout', async () => {
    await using server = await startServer();
    const oldRoot = await begin(server);
    relay.slow(3000);
    await toDrain(server);
    await expectPatience(server, oldRoot, () => relay.slow(0));
  }, 120_000);

  it('goes on while each answer is slow, within the timeout', async () => {
    await using server = await startServer();
    relay.slow(500);
    try {
      const oldRoot = await begin(server);
      await toDrain(server);
      await waitFor(() => rootOf(server) !== oldRoot, { deadline: 60_000 });
    } finally {
      relay.slow(0);
    }
  }, 120_000);

  it('goes on with tokens that end in the midst of it', async () => {
    await using server = await startServer({ token_ttl: '1s', token_max_ttl: '1s', token_num_uses: 3 });
    const oldRoot = await begin(server);
    await toDrain(server);
    await waitFor(() => rootOf(server) !== oldRoot, { deadline: 60_000 });
    await issue(server);
  }, 120_000);
});
