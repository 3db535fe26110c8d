import { setTimeout as delay } from 'node:timers/promises';
import { credentials, Metadata } from '@grpc/grpc-js';
import { IstioCertificateServiceClient } from '../../../src/gen/istio/v1/auth/ca.ts';
import type { Secret } from '../../../src/kernel/index.ts';
import { createCertificateRequest, generateKeyPair, localSigner, toPem } from '../../../src/pki/index.ts';

export interface Visitor extends AsyncDisposable {
  /** @returns how long each of its calls took, milliseconds */
  stop(): Promise<readonly number[]>;
}

const pause = 200;

/** A caller as pilot-agent is one, which has nothing to do with the drill: a new connection and a certificate, over and over. */
export async function startVisitor(options: {
  readonly port: number;
  readonly roots: Buffer;
  readonly token: Secret<string>;
}): Promise<Visitor> {
  const { privateKey } = await generateKeyPair('ecdsa-p256');
  const der = await createCertificateRequest({ signer: localSigner(privateKey) });
  const request = { csr: toPem(der, 'CERTIFICATE REQUEST'), validityDuration: 0n, metadata: undefined };
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${options.token.reveal()}`);
  const over = new AbortController();
  const waits: number[] = [];

  async function visit(): Promise<void> {
    const client = new IstioCertificateServiceClient(
      `127.0.0.1:${options.port}`,
      credentials.createSsl(options.roots),
      { 'grpc.ssl_target_name_override': 'localhost', 'grpc.use_local_subchannel_pool': 1 },
    );
    const begun = performance.now();
    try {
      await new Promise<void>((resolve, reject) => {
        client.createCertificate(request, metadata, { deadline: Date.now() + 30_000 }, (error) =>
          error ? reject(error) : resolve(),
        );
      });
      waits.push(performance.now() - begun);
    } finally {
      client.close();
    }
  }

  const visiting = (async () => {
    while (!over.signal.aborted) {
      await visit();
      await delay(pause, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  visiting.catch(() => undefined);
  const stop = async () => {
    over.abort();
    await visiting;
    return waits;
  };
  return {
    stop,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await visiting.catch(() => undefined);
    },
  };
}
