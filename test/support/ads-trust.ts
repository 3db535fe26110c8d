import { createEnvoyRenderer } from '../../src/adapters/envoy/index.ts';
import { type ControlPlane, createControlPlane } from '../../src/domain/mesh/index.ts';
import { noMetrics } from '../../src/domain/ports/index.ts';
import type { TrustBundleSnapshot } from '../../src/domain/trust/index.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';
import { type AdsServer, startAdsServer, trustDomain } from '../fakes/ads-server.ts';
import { meshSettings } from '../fakes/mesh-settings.ts';
import { fakeMeshSource } from '../fakes/mesh-source.ts';

export interface TrustServer extends AsyncDisposable {
  readonly server: AdsServer;
  readonly plane: ControlPlane;
  /** Has the server know these roots, and tell its proxies. */
  trust(...rootPems: readonly string[]): void;
  /** Has it give these to the proxies of one key alone, and tell them. */
  stage(proxyKey: string, ...rootPems: readonly string[]): void;
}

/** A control plane with one workload, web, that listens on nothing and calls nobody; its bundle is the test's. */
export async function startTrustServer(): Promise<TrustServer> {
  const web = {
    id: 'test/shop/web',
    namespace: 'shop',
    name: 'web',
    serviceAccount: 'web',
    labels: {},
    addresses: ['127.0.0.1'],
    proxy: 'explicit' as const,
    proxyKey: undefined,
    ports: [],
    egress: [],
  };
  const listeners = new Set<() => void>();
  let bundle = bundleOf([]);
  let staged: { readonly proxyKey: string; readonly bundle: TrustBundleSnapshot } | undefined;
  const plane = createControlPlane({
    settings: { ...meshSettings, trustDomain },
    sources: [fakeMeshSource('test', { workloads: [web], services: [], policies: [] })],
    renderer: createEnvoyRenderer(),
    authority: {
      bundle: () => bundle,
      bundleFor: ({ proxyKey }) => (staged?.proxyKey === proxyKey ? staged.bundle : bundle),
      onBundleChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    metrics: noMetrics,
    clock: systemClock,
    log: silentLog,
  });
  const server = await startAdsServer({ serve: plane, messageBytes: 1_048_576 });
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const trust = (...rootPems: readonly string[]) => {
    bundle = bundleOf(rootPems);
    tell();
  };
  const stage = (proxyKey: string, ...rootPems: readonly string[]) => {
    staged = { proxyKey, bundle: bundleOf(rootPems) };
    tell();
  };
  trust(server.rootPem);
  await plane.start();
  return {
    server,
    trust,
    stage,
    plane,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await plane.close();
    },
  };
}

function bundleOf(rootPems: readonly string[]): TrustBundleSnapshot {
  const pem = rootPems.join('');
  return { trustDomain, authorities: [], version: pem, sequenceNumber: 0n, pem };
}
