import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { field, text } from '../../../src/adapters/kubernetes/api/index.ts';
import {
  createClusterTrustBundlePublisher,
  createConfigMapPublisher,
} from '../../../src/adapters/kubernetes/index.ts';
import type { TrustBundleSnapshot } from '../../../src/domain/trust/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import { hasPart, waitFor } from '../../parts/index.ts';
import { type Fixture, makeBundle, startFixture } from './fixture.ts';

const merge = { contentType: 'application/merge-patch+json' };
const never = new AbortController().signal;

describe.skipIf(!hasPart('kubeapi'))('publishing to Kubernetes', () => {
  let fixture: Fixture;
  let name: string;
  let signerName: string;
  let bundle: TrustBundleSnapshot;
  let watching: AbortController;
  let watches: Promise<void>[];

  beforeAll(async () => {
    fixture = await startFixture();
    name = fixture.names.configMap;
    signerName = fixture.names.signer;
    bundle = await makeBundle('published root');
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    fixture.proxy.fault = undefined;
    watching?.abort();
    await Promise.all(watches ?? []);
  });

  const path = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const root = async (namespace: string): Promise<unknown> => {
    const reply = await fixture.kube.send('GET', path(namespace), undefined);
    if (reply.status === 404) return undefined;
    return field(JSON.parse(reply.body), 'data', 'root-cert.pem');
  };
  const rootIs = (namespace: string, pem: string) =>
    waitFor(async () => (await root(namespace)) === pem, { deadline: 20_000, what: `root in ${namespace}` });
  const watch = (start: (signal: AbortSignal) => Promise<void>) => {
    watching = new AbortController();
    watches = [start(watching.signal)];
  };
  const writes = () => fixture.proxy.seen.filter(({ method }) => method !== 'GET').length;
  const publisher = () => createConfigMapPublisher(fixture.cluster, { name, log: silentLog });

  describe('as a ConfigMap', () => {
    it('writes to every namespace but the excluded ones, and nothing twice', async () => {
      const first = await fixture.kube.createNamespace('publish');
      const second = await fixture.kube.createNamespace('publish');
      const excluded = await fixture.kube.createNamespace('publish');
      const configMaps = createConfigMapPublisher(fixture.cluster, {
        name,
        excludedNamespaces: ['kube-system', 'kube-public', excluded],
        log: silentLog,
      });
      await configMaps.publish(bundle, never);
      expect(await root(first)).toBe(bundle.pem);
      expect(await root(second)).toBe(bundle.pem);
      expect(await root(excluded)).toBeUndefined();
      expect(await root('kube-system')).toBeUndefined();
      // Of these two alone: other tests of the run make namespaces at the same time.
      const own = new RegExp(`${first}|${second}`);
      const written = () => fixture.proxy.count('POST', own) + fixture.proxy.count('PATCH', own);
      const before = written();
      expect(before).toBeGreaterThanOrEqual(2);
      await configMaps.publish(bundle, never);
      expect(written()).toBe(before);
    });

    it('replaces what differs and leaves other keys alone', async () => {
      const namespace = await fixture.kube.createNamespace('publish');
      await fixture.kube.request('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
        metadata: { name },
        data: { 'root-cert.pem': 'old', other: 'kept' },
      });
      await publisher().publish(bundle, never);
      expect(await fixture.kube.request('GET', path(namespace))).toMatchObject({
        data: { 'root-cert.pem': bundle.pem, other: 'kept' },
      });
    });

    it('serves the other namespaces when one refuses, and says so', async () => {
      const broken = await fixture.kube.createNamespace('publish');
      const sound = await fixture.kube.createNamespace('publish');
      await fixture.kube.request('POST', `/api/v1/namespaces/${broken}/configmaps`, {
        metadata: { name },
        data: { 'root-cert.pem': 'old' },
        immutable: true,
      });
      await expect(publisher().publish(bundle, never)).rejects.toMatchObject({ code: 'Unavailable' });
      expect(await root(sound)).toBe(bundle.pem);
      expect(await root(broken)).toBe('old');
      await fixture.kube.request('DELETE', path(broken));
    });

    it('leaves a namespace alone that is being deleted', async () => {
      const going = await fixture.kube.createNamespace('publish');
      // No namespace controller runs here, so the namespace stays in this state.
      await fixture.kube.request('DELETE', `/api/v1/namespaces/${going}`);
      await publisher().publish(bundle, never);
      expect(await root(going)).toBeUndefined();
    });

    it('follows: a new namespace, a changed and a deleted ConfigMap, a new bundle', async () => {
      let current = bundle;
      const configMaps = publisher();
      watch((signal) => configMaps.watch(() => current, signal));
      const namespace = await fixture.kube.createNamespace('follow');
      await rootIs(namespace, bundle.pem);
      await fixture.kube.request('PATCH', path(namespace), { data: { 'root-cert.pem': 'forged' } }, merge);
      await rootIs(namespace, bundle.pem);
      await fixture.kube.request('DELETE', path(namespace));
      await rootIs(namespace, bundle.pem);
      current = await makeBundle('next root');
      await configMaps.publish(current, never);
      expect(await root(namespace)).toBe(current.pem);
      const later = await fixture.kube.createNamespace('follow');
      await rootIs(later, current.pem);
    });

    it('goes on after its watches broke, without a new list', async () => {
      watch((signal) => publisher().watch(() => bundle, signal));
      await rootIs(await fixture.kube.createNamespace('follow'), bundle.pem);
      const lists = () =>
        fixture.proxy.seen.filter(
          ({ path: at, query }) => at === '/api/v1/namespaces' && query.get('watch') === null,
        ).length;
      const before = lists();
      fixture.proxy.cut();
      await rootIs(await fixture.kube.createNamespace('follow'), bundle.pem);
      expect(lists()).toBe(before);
    });

    it('lists anew when its version is gone, by status or within the stream', async () => {
      const gone = { type: 'ERROR', object: { kind: 'Status', code: 410 } };
      for (const fault of [
        { kind: 'status', status: 410 },
        { kind: 'status', status: 200, body: gone },
      ] as const) {
        watch((signal) => publisher().watch(() => bundle, signal));
        await rootIs(await fixture.kube.createNamespace('follow'), bundle.pem);
        let answered = 0;
        fixture.proxy.fault = ({ query }) => {
          if (query.get('watch') === null || answered === 2) return undefined;
          answered += 1;
          return fault;
        };
        const before = fixture.proxy.seen.length;
        fixture.proxy.cut();
        await rootIs(await fixture.kube.createNamespace('follow'), bundle.pem);
        const lists = fixture.proxy.seen
          .slice(before)
          .filter(({ method, query }) => method === 'GET' && query.get('watch') === null);
        expect(lists.length).toBeGreaterThanOrEqual(1);
        fixture.proxy.fault = undefined;
        watching.abort();
        await Promise.all(watches);
      }
    });

    it('tries a failing namespace again and serves the others meanwhile', async () => {
      const failing = await fixture.kube.createNamespace('follow');
      fixture.proxy.fault = ({ method, path: at }) =>
        method === 'POST' && at.includes(failing) ? { kind: 'status', status: 403 } : undefined;
      watch((signal) => publisher().watch(() => bundle, signal));
      await rootIs(await fixture.kube.createNamespace('follow'), bundle.pem);
      await waitFor(() => fixture.proxy.count('POST', new RegExp(failing)) >= 2, { what: 'a second try' });
      expect(await root(failing)).toBeUndefined();
      fixture.proxy.fault = undefined;
      await rootIs(failing, bundle.pem);
    });
  });

  describe('as a ClusterTrustBundle', () => {
    const object = () =>
      `/apis/certificates.k8s.io/v1/clustertrustbundles/${signerName.replace('/', ':')}:bundle`;
    const storedSpec = async () =>
      field(JSON.parse((await fixture.kube.send('GET', object(), undefined)).body), 'spec');
    const bundles = () => createClusterTrustBundlePublisher(fixture.cluster, { signerName, log: silentLog });

    it('makes it, writes nothing twice, and replaces what differs', async () => {
      await bundles().publish(bundle, never);
      expect(await storedSpec()).toEqual({ signerName, trustBundle: bundle.pem });
      const before = writes();
      await bundles().publish(bundle, never);
      expect(writes()).toBe(before);
      const next = await makeBundle('next root');
      await bundles().publish(next, never);
      expect(await storedSpec()).toMatchObject({ trustBundle: next.pem });
    });

    it('repairs it while it follows', async () => {
      watch((signal) => bundles().watch(() => bundle, signal));
      const repaired = () =>
        waitFor(async () => text(await storedSpec(), 'trustBundle') === bundle.pem, {
          what: 'the bundle',
        });
      await repaired();
      const forged = await makeBundle('forged root');
      await fixture.kube.request('PATCH', object(), { spec: { trustBundle: forged.pem } }, merge);
      await repaired();
      await fixture.kube.request('DELETE', object());
      await repaired();
    });

    it('says what to do where the API is not served', async () => {
      const old = createClusterTrustBundlePublisher(fixture.cluster, {
        signerName,
        apiVersion: 'v1beta1',
        log: silentLog,
      });
      fixture.proxy.fault = () => ({ kind: 'status', status: 404 });
      await expect(old.publish(bundle, never)).rejects.toMatchObject({ code: 'FailedPrecondition' });
    });

    it.each(['mesh', 'citadel.dev/', 'citadel.dev/a/b', 'Citadel.dev/mesh', 'citadel.dev:mesh/x'])(
      'refuses the signer name %s',
      (wrong) => {
        const options = { signerName: wrong, log: silentLog };
        const make = () => createClusterTrustBundlePublisher(fixture.cluster, options);
        expect(make).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
      },
    );
  });
});
