import { readFile } from 'node:fs/promises';
import { credentials, Metadata } from '@grpc/grpc-js';
import {
  type IstioCertificateResponse,
  IstioCertificateServiceClient,
} from '../../src/gen/istio/v1/auth/ca.ts';
import { createCertificateRequest, generateKeyPair, localSigner, toPem } from '../../src/pki/index.ts';
import { cpuSeconds, type RunningServer, startRunningServer } from './running.ts';

interface Result {
  readonly calls: number;
  /** Of the server's processor time. */
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

const callers = 32;

/** Issuance over gRPC and TLS, durable record and audit included: on open connections, and on a new one for each. */
export async function grpcIssuance(seconds: number): Promise<void> {
  await using server = await startRunningServer();
  const call = await prepareCall(server);
  await measure(server, seconds / 4, () => keptClient(server, call));
  const kept = await measure(server, seconds, () => keptClient(server, call));
  const fresh = await measure(server, seconds, () => freshClient(server, call));
  console.log(
    '\nIssuance over gRPC and TLS, with the durable record and the audit record (calls by the CPU second of the server)',
  );
  console.log(`  on open connections            ${format(kept)}`);
  console.log(`  a new connection for each      ${format(fresh)}`);
  console.log(`  ratio new / open               ${(fresh.perCpuSecond / kept.perCpuSecond).toFixed(2)}`);
}

function format({ calls, perCpuSecond, perSecond }: Result): string {
  return `${perCpuSecond.toFixed(0).padStart(6)} a CPU second ${perSecond.toFixed(0).padStart(6)} a second (${calls} calls)`;
}

interface Call {
  readonly csr: string;
  readonly metadata: Metadata;
  readonly roots: Buffer;
}

async function prepareCall({ tokenFile, bundleFile }: RunningServer): Promise<Call> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${await readFile(tokenFile, 'utf8')}`);
  const { privateKey } = await generateKeyPair('ecdsa-p256');
  const csr = toPem(
    await createCertificateRequest({ signer: localSigner(privateKey) }),
    'CERTIFICATE REQUEST',
  );
  return { csr, metadata, roots: await readFile(bundleFile) };
}

function connect({ port }: RunningServer, { roots }: Call): IstioCertificateServiceClient {
  return new IstioCertificateServiceClient(`127.0.0.1:${port}`, credentials.createSsl(roots), {
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.use_local_subchannel_pool': 1,
  });
}

interface Caller {
  issue(): Promise<IstioCertificateResponse>;
  close(): void;
}

function keptClient(server: RunningServer, call: Call): Caller {
  const client = connect(server, call);
  return { issue: () => issue(client, call), close: () => client.close() };
}

function freshClient(server: RunningServer, call: Call): Caller {
  return {
    async issue() {
      const client = connect(server, call);
      try {
        return await issue(client, call);
      } finally {
        client.close();
      }
    },
    close: () => {},
  };
}

function issue(
  client: IstioCertificateServiceClient,
  { csr, metadata }: Call,
): Promise<IstioCertificateResponse> {
  return new Promise((resolve, reject) => {
    const request = { csr, validityDuration: 0n, metadata: undefined };
    client.createCertificate(request, metadata, { deadline: Date.now() + 30_000 }, (error, response) =>
      error ? reject(error) : resolve(response),
    );
  });
}

async function measure({ pid }: RunningServer, seconds: number, newCaller: () => Caller): Promise<Result> {
  const until = performance.now() + seconds * 1000;
  const [cpuBefore, before] = [await cpuSeconds(pid), performance.now()];
  let calls = 0;
  await Promise.all(
    [...Array(callers)].map(async () => {
      const caller = newCaller();
      while (performance.now() < until) {
        await caller.issue();
        calls += 1;
      }
      caller.close();
    }),
  );
  const elapsed = (performance.now() - before) / 1000;
  return { calls, perCpuSecond: calls / ((await cpuSeconds(pid)) - cpuBefore), perSecond: calls / elapsed };
}
