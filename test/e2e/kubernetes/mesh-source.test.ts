import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../../../src/adapters/kubernetes/api/index.ts';
import { createKubernetesMeshSource } from '../../../src/adapters/kubernetes/mesh/index.ts';
import { formatPolicyProblem, readPolicy } from '../../../src/domain/policy/index.ts';
import type { MeshContent, MeshSource } from '../../../src/domain/ports/index.ts';
import { type MemoryArchive, memoryArchive } from '../../fakes/memory-archive.ts';
import { hasPart, waitFor } from '../../parts/index.ts';
import type { Fault, SeenRequest } from './fault-proxy.ts';
import { type Fixture, readManifest, startFixture } from './fixture.ts';

const kinds = ['authorizationpolicies', 'peerauthentications', 'requestauthentications'];
const isWatch = ({ query }: SeenRequest) => query.get('watch') !== null;

describe.skipIf(!hasPart('kubeapi'))('the mesh source of a cluster', () => {
  let fixture: Fixture;
  let namespace: string;
  let source: MeshSource;
  let contents: (MeshContent | undefined)[];
  let archive: MemoryArchive;

  beforeAll(async () => {
    fixture = await startFixture();
    for (const kind of kinds) await fixture.kube.apply(await readManifest(`crds/${kind}.yaml`));
  });
  afterEach(async () => {
    fixture.proxy.fault = undefined;
    await source.close();
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });

  const start = async (fault?: (request: SeenRequest) => Fault | undefined) => {
    namespace = await fixture.kube.createNamespace('source');
    archive = memoryArchive();
    await open(fault);
  };
  const open = async (fault?: (request: SeenRequest) => Fault | undefined) => {
    fixture.proxy.fault = fault;
    contents = [];
    source = createKubernetesMeshSource({
      cluster: fixture.cluster,
      archive,
      readPolicy(object) {
        const { policy, problems } = readPolicy(object, { source: 'kubernetes/test' });
        return { policy, problems: problems.map(formatPolicyProblem) };
      },
    });
    await source.start(() => contents.push(source.content()));
  };
  const addPod = async (name: string) => {
    await fixture.kube.createPod(namespace, name);
    const status = { podIP: '10.9.0.1', podIPs: [{ ip: '10.9.0.1' }] };
    await fixture.kube.request(
      'PATCH',
      `/api/v1/namespaces/${namespace}/pods/${name}/status`,
      { status },
      { contentType: 'application/merge-patch+json' },
    );
  };
  const addPolicy = () =>
    fixture.kube.request('POST', `/apis/security.istio.io/v1/namespaces/${namespace}/peerauthentications`, {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: 'default' },
      spec: { mtls: { mode: 'STRICT' } },
    });
  const policiesIn = (content: MeshContent | undefined) =>
    content?.policies.filter(({ meta }) => meta.namespace === namespace).length;
  const pods = () =>
    source
      .content()
      ?.workloads.filter((each) => each.namespace === namespace)
      .map(({ name }) => name)
      .toSorted();
  const podsAre = (...names: string[]) =>
    waitFor(() => JSON.stringify(pods()) === JSON.stringify(names), { what: `the pods ${names.join(', ')}` });
  const lists = (path: string) =>
    fixture.proxy.seen.filter((request) => request.path === path && !isWatch(request)).length;
  const current = () => waitFor(() => source.state().problem === undefined, { what: 'all to be current' });

  it('follows, and after a break goes on where it was', async () => {
    await start();
    expect(source.state()).toMatchObject({ name: 'kubernetes/test', problem: undefined });
    expect(source.state().currentAt).toBeInstanceOf(Date);
    await addPod('one');
    await podsAre('one');
    const before = lists('/api/v1/pods');
    fixture.proxy.cut();
    await waitFor(() => source.state().problem, { what: 'the break to be told' });
    await addPod('two');
    await podsAre('one', 'two');
    await fixture.kube.deletePod(namespace, 'one');
    await podsAre('two');
    await current();
    expect(lists('/api/v1/pods')).toBe(before);
  });

  it.each<[string, Fault]>([
    ['with 410', { kind: 'status', status: 410 }],
    [
      'within the stream',
      { kind: 'status', status: 200, body: { type: 'ERROR', object: { kind: 'Status', code: 410 } } },
    ],
  ])('lists anew when its version is gone, %s, and misses no deletion', async (_what, fault) => {
    await start();
    await addPod('one');
    await addPod('two');
    await podsAre('one', 'two');
    let refused = false;
    fixture.proxy.fault = (request) => {
      if (request.path !== '/api/v1/pods') return undefined;
      if (!refused) {
        refused = isWatch(request) && fault.kind === 'status';
        return refused ? fault : undefined;
      }
      return undefined;
    };
    const before = lists('/api/v1/pods');
    fixture.proxy.cut();
    await fixture.kube.deletePod(namespace, 'one');
    await podsAre('two');
    await waitFor(() => lists('/api/v1/pods') === before + 1, { what: 'the new list' });
  });

  it('waits out a server that is overloaded: a list is asked for again, a watch goes on', async () => {
    let refusals = 6;
    await start(({ path }) =>
      path.startsWith('/apis/security.istio.io/') && refusals-- > 0
        ? { kind: 'status', status: 429, retryAfter: '0' }
        : undefined,
    );
    await waitFor(() => source.content(), { what: 'the content' });
    await addPod('one');
    await podsAre('one');
    const before = lists('/api/v1/pods');
    let watches = 3;
    fixture.proxy.fault = (request) =>
      request.path === '/api/v1/pods' && isWatch(request) && watches-- > 0
        ? { kind: 'status', status: 429, retryAfter: '0' }
        : undefined;
    fixture.proxy.cut();
    await waitFor(() => source.state().problem?.includes('pods: watch /api/v1/pods: HTTP 429'), {
      what: 'the overload to be told',
    });
    await addPod('two');
    await podsAre('one', 'two');
    expect(lists('/api/v1/pods')).toBe(before);
  });

  it('gives nothing while it may not read the policies, and says so', async () => {
    await start(({ path }) =>
      path.endsWith('/authorizationpolicies') ? { kind: 'status', status: 403 } : undefined,
    );
    expect(source.content()).toBeUndefined();
    expect(source.state().currentAt).toBeUndefined();
    expect(source.state().problem).toContain('authorizationpolicies: list /apis/security.istio.io/v1');
    fixture.proxy.fault = undefined;
    await waitFor(() => source.content(), { what: 'the content' });
    await current();
  });

  it('has no policies where they are not defined, and takes them when they are', async () => {
    await start(({ path }) =>
      path.startsWith('/apis/security.istio.io/') ? { kind: 'status', status: 404 } : undefined,
    );
    await waitFor(() => source.content(), { what: 'the content' });
    await addPolicy();
    expect(source.content()?.policies).toEqual([]);
    expect(source.state().problem).toBeUndefined();
    fixture.proxy.fault = undefined;
    await waitFor(() => policiesIn(source.content()) === 1, { what: 'the policy' });
  });

  it('reads them by the version that is served', async () => {
    await start(({ path }) =>
      path.startsWith('/apis/security.istio.io/v1/') ? { kind: 'status', status: 404 } : undefined,
    );
    await addPolicy();
    await waitFor(() => policiesIn(source.content()) === 1, { what: 'the policy' });
  });

  describe('over a restart', () => {
    const path = () => `/apis/security.istio.io/v1/namespaces/${namespace}/peerauthentications/default`;
    const modes = () =>
      source
        .content()
        ?.policies.filter(({ meta }) => meta.namespace === namespace)
        .map((policy) => policy.kind === 'PeerAuthentication' && policy.mode);
    const away: Fault = { kind: 'status', status: 403 };
    /** The next version of the policy as the API server gives it, whose definition would not have let it pass. */
    const broken =
      (uid: string) =>
      (request: SeenRequest): Fault | undefined => {
        if (!request.path.endsWith('/peerauthentications')) return undefined;
        if (isWatch(request)) return { kind: 'hang' };
        const metadata = { namespace, name: 'default', uid, resourceVersion: '1', generation: 2 };
        const items = [{ metadata, spec: { mtls: { mode: 'STRICTLY' } } }];
        return { kind: 'status', status: 200, body: { metadata: { resourceVersion: '1' }, items } };
      };
    let known: string;
    const begin = async () => {
      await start();
      await addPolicy();
      await addPod('one');
      await podsAre('one');
      await waitFor(() => modes()?.[0] === 'STRICT', { what: 'the policy' });
      known = text(await fixture.kube.request('GET', path()), 'metadata', 'uid') ?? '';
      await source.close();
    };

    it('gives what it knew while the API server is away, with its age, and follows it when it is back', async () => {
      await begin();
      const before = Date.now();
      await fixture.kube.deletePod(namespace, 'one');
      await open(() => away);
      expect(pods()).toEqual(['one']);
      expect(modes()).toEqual(['STRICT']);
      const { problem, currentAt } = source.state();
      expect(problem).toContain('pods: list /api/v1/pods: HTTP 403');
      expect(currentAt?.getTime()).toBeLessThanOrEqual(before);
      fixture.proxy.fault = undefined;
      await podsAre();
      await current();
      expect(modes()).toEqual(['STRICT']);
      expect(source.state().currentAt?.getTime()).toBeGreaterThan(before);
    });

    it('keeps the last good form of what is broken by then', async () => {
      await begin();
      await open(broken(known));
      expect(modes()).toEqual(['STRICT']);
      expect(source.state().rejected).toMatchObject([
        { object: `peerauthentications ${namespace}/default`, kept: true },
      ]);
      // Of an object that was made anew under the name there is no earlier form.
      await source.close();
      await open(broken('another'));
      expect(modes()).toEqual([]);
      expect(source.state().rejected).toMatchObject([{ kept: false }]);
    });

    it('drops with the first answer what was deleted meanwhile', async () => {
      await begin();
      await fixture.kube.request('DELETE', path());
      await open();
      expect(modes()).toEqual([]);
      expect(contents.map((content) => policiesIn(content)).slice(-1)).not.toContain(1);
      await source.close();
      await open(() => away);
      expect(modes()).toEqual([]);
    });

    it('begins with what is there when nothing that was kept can be believed', async () => {
      await begin();
      for (const id of archive.kept.keys()) archive.kept.set(id, { content: 'nonsense', at: new Date(0) });
      await open(({ path: asked }) => (asked === '/api/v1/pods' ? away : undefined));
      expect(source.content()).toBeUndefined();
      expect(source.state().currentAt).toBeUndefined();
      expect(source.state().warnings.join()).toContain('pods is left alone: it is no list of objects');
      fixture.proxy.fault = undefined;
      await podsAre('one');
    });
  });

  it('does not drop policies at one odd answer', async () => {
    await start();
    await addPolicy();
    await waitFor(() => policiesIn(source.content()) === 1, { what: 'the policy' });
    contents = [];
    let odd = 3;
    fixture.proxy.fault = ({ path }) =>
      path.endsWith('/peerauthentications') && odd-- > 0 ? { kind: 'status', status: 404 } : undefined;
    fixture.proxy.cut();
    await waitFor(() => odd < 0, { what: 'the odd answers' });
    await current();
    expect(contents.map(policiesIn)).not.toContain(0);
    expect(policiesIn(source.content())).toBe(1);
  });
});
