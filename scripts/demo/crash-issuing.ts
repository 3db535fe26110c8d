import { randomInt } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { credentials, Metadata } from '@grpc/grpc-js';
import { stringify } from 'yaml';
import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import { IstioCertificateServiceClient } from '../../src/gen/istio/v1/auth/ca.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';
import {
  createCertificateRequest,
  generateKeyPair,
  localSigner,
  parseCertificate,
  toPem,
} from '../../src/pki/index.ts';
import { freePort, temporaryDirectory, waitFor } from '../../test/parts/index.ts';
import { citadel, startCitadel } from './citadel.ts';
import { bundleFromOperator, developmentPlatform } from './platform.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, callers: { type: 'string', default: '16' } },
});
const rounds = Number(values.rounds);
const callers = Number(values.callers);

/** What a caller holds in its hands: serial and certificate, PEM. */
type Received = Map<string, string>;

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await temporaryDirectory('crash'));
  const data = join(directory, 'data');
  const port = await freePort();
  const platform = developmentPlatform();
  const settings = await platform.serverSettings(directory);
  const config = join(directory, 'citadel.yaml');
  const listen = { csr: `127.0.0.1:${port}`, metrics: '127.0.0.1:0', operator: '127.0.0.1:0' };
  await writeFile(
    config,
    stringify({
      mode: 'development',
      trustDomain: 'crash.example',
      dataDirectory: data,
      listen,
      // All callers come from one address here.
      limits: { callsPerSecondPerPeer: 100_000 },
      ...settings,
    }),
  );
  const start = () => startCitadel('citadel server', ['server', '--config', config], /"message":"ready"/);
  const operator = (...args: readonly string[]) => citadel(...args, '--socket', join(data, 'operator.sock'));

  const received: Received = new Map();
  let duplicates = 0;
  let server = await start();
  stack.defer(async () => {
    await server.stop();
  });
  const home = join(directory, 'caller');
  await mkdir(home);
  const { tokenFile } = await platform.workload({
    directory: home,
    name: 'workload-1',
    namespace: 'crash',
    serviceAccount: 'caller',
    operator,
  });
  const roots = await readFile(await bundleFromOperator(home, operator));
  const token = await readFile(tokenFile, 'utf8');
  const csr = await newRequest();

  for (let round = 1; round <= rounds; round++) {
    const before = received.size;
    const client = new IstioCertificateServiceClient(`127.0.0.1:${port}`, credentials.createSsl(roots), {
      'grpc.ssl_target_name_override': 'localhost',
    });
    const issuing = Promise.all(
      [...Array(callers)].map(() => issueUntilItFails(client, csr, token, received, () => duplicates++)),
    );
    // The moment is chosen by progress, so that the kill falls into the midst of issuing on any machine.
    const target = before + randomInt(10, 120);
    await waitFor(() => received.size >= target, {
      deadline: 30_000,
      interval: 1,
      what: 'certificates of this round',
    });
    // Callers begin anew together, just after a group of replies: a chance delay spreads the kills over what lies between.
    await delay(randomInt(0, 40));
    server.kill('SIGKILL');
    await server.exited;
    await issuing;
    client.close();
    process.stdout.write(`round ${round}: ${received.size - before} certificates, then SIGKILL\n`);
    server = await start();
  }
  await server.stop();

  const store = await openSqliteStore({ file: join(data, 'citadel.db'), clock: systemClock, log: silentLog });
  stack.defer(() => store.close());
  let lost = 0;
  for (const [serial, pem] of received) {
    const record = await store.issuance.get(serial);
    if (record?.state !== 'issued' || toPem(record.certificate ?? new Uint8Array()) !== pem) lost += 1;
  }
  const unresolved = await store.issuance.findUnresolved(new Date(Date.now() + 1000), 1000);
  const { items } = await store.issuance.find({ state: 'abandoned', limit: 1000 });
  process.stdout.write(`intents without a result, found and marked at a restart: ${items.length}\n`);
  process.stdout.write(
    `received ${received.size}, lost ${lost}, duplicate serials ${duplicates}, unresolved ${unresolved.length}, kills ${rounds}\n`,
  );
  if (lost > 0 || duplicates > 0 || unresolved.length > 0) process.exitCode = 1;
}

async function newRequest(): Promise<string> {
  const { privateKey } = await generateKeyPair('ecdsa-p256');
  return toPem(await createCertificateRequest({ signer: localSigner(privateKey) }), 'CERTIFICATE REQUEST');
}

async function issueUntilItFails(
  client: IstioCertificateServiceClient,
  csr: string,
  token: string,
  received: Received,
  onDuplicate: () => void,
): Promise<void> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  for (;;) {
    const pem = await new Promise<string | undefined>((resolve) => {
      const request = { csr, validityDuration: 0n, metadata: undefined };
      client.createCertificate(request, metadata, { deadline: Date.now() + 20_000 }, (error, response) =>
        resolve(error ? undefined : response.certChain[0]),
      );
    });
    if (pem === undefined) return;
    const { serialHex } = parseCertificate(pem);
    if (received.has(serialHex)) onDuplicate();
    received.set(serialHex, pem);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`crash-issuing: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
