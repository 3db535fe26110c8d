import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { createSyncService, type SyncServiceOptions } from '../../../../../src/api/grpc/sync/service.ts';
import type { HandshakeReport } from '../../../../../src/domain/ports/index.ts';
import type { TrustBundleSnapshot } from '../../../../../src/domain/trust/index.ts';
import {
  EnvoyReport,
  HandshakeFailures,
  type SyncRequest,
  type SyncResponse,
} from '../../../../../src/gen/citadel/v1/agent.ts';
import { silentLog, systemClock } from '../../../../../src/kernel/index.ts';
import { waitFor } from '../../../../parts/index.ts';

const issuance = { proxyKey: 'pod-1', principal: 'development:web', serial: '01', issuer: 'ab' };
const svid = { issuance, spiffeId: 'spiffe://example.org/web', notAfter: new Date(Date.now() + 600_000) };

/** A stream over which nothing goes that the test does not let through. */
function opened(session: { handshakes(report: HandshakeReport): Promise<void> }) {
  const written: { readonly message: SyncResponse; readonly flushed: () => void }[] = [];
  const stream = new Duplex({
    objectMode: true,
    read() {},
    write: (message: SyncResponse, _encoding, flushed) => void written.push({ message, flushed }),
  });
  let version = 'first';
  let changed = () => {};
  const options = {
    verifier: { verify: async () => svid },
    revocations: { isRevoked: () => false, onRevoked: () => () => true },
    authority: {
      bundleFor: (): Partial<TrustBundleSnapshot> => ({
        version,
        trustDomain: 'example.org',
        authorities: [],
      }),
      onBundleChange(listener: () => void) {
        changed = listener;
        return () => {};
      },
    },
    renewals: { watch: () => () => {} },
    adoption: { open: () => ({ ...session, report: async () => {}, close: async () => {} }) },
    evidence: undefined,
    metrics: { streams() {} },
    stopping: new AbortController().signal,
    clock: systemClock,
    log: silentLog,
  };
  // What is asked of them here is in them.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const service = createSyncService(options as unknown as SyncServiceOptions);
  const call = Object.assign(stream, {
    metadata: { get: () => [] },
    getAuthContext: () => ({ sslPeerCertificate: { raw: Buffer.from('leaf') } }),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const serve = service.implementation['sync'] as (
    call: ServerDuplexStream<SyncRequest, SyncResponse>,
  ) => void;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  serve(call as unknown as ServerDuplexStream<SyncRequest, SyncResponse>);
  return {
    stream,
    written,
    change: (to: string) => {
      version = to;
      changed();
    },
  };
}

it('reads no further than what an agent says of its Envoy is recorded', async () => {
  let taken = 0;
  let record = () => {};
  const recorded = new Promise<void>((resolve) => {
    record = resolve;
  });
  const { stream } = opened({
    handshakes: () => {
      taken += 1;
      return recorded;
    },
  });
  const failures = HandshakeFailures.create({ untrusted: 1n });
  const envoy = EnvoyReport.create({
    startedAt: new Date(),
    downstreamFailures: failures,
    upstreamFailures: failures,
  });
  for (let count = 0; count < 10; count += 1) stream.push({ envoy, report: undefined });
  await waitFor(() => taken > 0);
  await setImmediate();
  expect(taken).toBe(1);
  record();
  await waitFor(() => taken === 10);
});

it('keeps one bundle for an agent that does not read, and then the newest', async () => {
  const { written, change } = opened({ handshakes: async () => {} });
  const versions = () => written.map(({ message }) => message.bundles?.version);
  await waitFor(() => written.length > 0);
  for (const to of ['second', 'third', 'fourth']) change(to);
  written[0]?.flushed();
  await waitFor(() => written.length > 1);
  written[1]?.flushed();
  await setImmediate();
  expect(versions()).toEqual(['first', 'fourth']);
});
