import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type ClusterObjects,
  createAssembler,
} from '../../../../../src/adapters/kubernetes/mesh/assemble.ts';
import { readEndpointSlice } from '../../../../../src/adapters/kubernetes/mesh/endpoint-slice.ts';
import type { Reading } from '../../../../../src/adapters/kubernetes/mesh/informer.ts';
import { readMeshPod } from '../../../../../src/adapters/kubernetes/mesh/pod.ts';
import { readService } from '../../../../../src/adapters/kubernetes/mesh/service.ts';
import {
  createRegistryAssembler,
  type ProxyMode,
  readMeshDocument,
} from '../../../../../src/domain/mesh/index.ts';
import { composeSnapshot } from '../../../../../src/domain/mesh/snapshot.ts';
import type { MeshContent } from '../../../../../src/domain/ports/index.ts';
import { parseYaml } from '../../../../../src/yaml/index.ts';
import { settings } from '../../../domain/mesh/samples.ts';
import { endpoint, pod, service, slice } from './objects.ts';

interface Objects {
  readonly pods?: readonly object[];
  readonly services?: readonly object[];
  readonly slices?: readonly object[];
  readonly namespaces?: Readonly<Record<string, ProxyMode>>;
}

function readAll<T>(
  objects: readonly object[],
  reader: (object: unknown) => Reading<T>,
  keyOf = ({ namespace, name }: Named, _index: number) => `${namespace}/${name}`,
): Map<string, T> {
  return new Map(
    objects.flatMap((object, index): [string, T][] => {
      const { value, problems } = reader(object);
      expect(problems).toEqual([]);
      return value === undefined ? [] : [[keyOf(named.parse(object).metadata, index), value]];
    }),
  );
}

const named = z.object({ metadata: z.object({ namespace: z.string(), name: z.string() }) });
type Named = z.infer<typeof named>['metadata'];

const objectsOf = ({
  pods = [pod()],
  services = [service()],
  slices = [slice()],
  namespaces = {},
}: Objects) =>
  ({
    pods: readAll(pods, readMeshPod),
    services: readAll(services, readService),
    // Told apart by their place, so that tests need not name them.
    slices: readAll(slices, readEndpointSlice, (_name, index) => String(index)),
    namespaces: new Map(Object.entries(namespaces)),
    policies: [],
  }) satisfies ClusterObjects;

const assemble = (objects: Objects = {}): MeshContent =>
  createAssembler('own', 'cluster.local')(objectsOf(objects));
const workload = (objects: Objects) => assemble(objects).workloads[0];
const endpoints = (objects: Objects) => assemble(objects).services[0]?.ports.map((each) => each.endpoints);

test('a pod and its service', () => {
  expect(assemble()).toEqual({
    workloads: [
      {
        id: 'own/shop/orders-1',
        namespace: 'shop',
        name: 'orders-1',
        serviceAccount: 'orders',
        labels: { app: 'orders' },
        addresses: ['10.1.0.1'],
        proxy: 'none',
        proxyKey: 'pod:own/uid-orders-1',
        ports: [{ port: 8080, protocol: 'http', application: { address: '127.0.0.1', port: 8080 } }],
        egress: [],
      },
    ],
    services: [
      {
        id: 'shop/orders',
        namespace: 'shop',
        name: 'orders',
        hosts: ['orders.shop.svc.cluster.local', 'orders.shop.svc', 'orders.shop'],
        addresses: ['10.0.0.7'],
        ports: [
          {
            port: 80,
            name: 'http',
            protocol: 'http',
            endpoints: [{ address: '10.1.0.1', port: 8080, workload: 'own/shop/orders-1' }],
          },
        ],
      },
    ],
    policies: [],
  });
});

describe('the proxy beside a pod', () => {
  const sidecar = {
    labels: { 'security.istio.io/tlsMode': 'istio' },
    spec: { containers: [{ name: 'main' }, { name: 'istio-proxy' }] },
  };
  const native = {
    labels: sidecar.labels,
    spec: { initContainers: [{ name: 'istio-proxy', restartPolicy: 'Always' }] },
  };
  const says = (proxy: string) => ({ annotations: { 'citadel.dev/proxy': proxy } });
  const onHost = { spec: { hostNetwork: true } };
  test.each([
    ['nothing', {}, undefined, 'none'],
    ['its own word', says('explicit'), undefined, 'explicit'],
    ['its own word against its namespace’s', says('none'), 'capture', 'none'],
    ['its namespace’s word', {}, 'capture', 'capture'],
    ['an injected sidecar', sidecar, undefined, 'capture'],
    ['an injected native sidecar', native, undefined, 'capture'],
    ['an injected sidecar against its own word', { ...sidecar, ...says('none') }, undefined, 'none'],
    ['a gateway’s container', { spec: sidecar.spec }, undefined, 'none'],
    [
      'a sidecar with mutual TLS off',
      { ...sidecar, labels: { 'security.istio.io/tlsMode': 'disabled' } },
      undefined,
      'none',
    ],
    ['its namespace’s word in the host’s network', onHost, 'capture', 'none'],
    ['its namespace’s explicit in the host’s network', onHost, 'explicit', 'none'],
    ['its own explicit in the host’s network', { ...onHost, ...says('explicit') }, undefined, 'explicit'],
  ] as const)('by %s', (_what, options, namespaceProxy, expected) => {
    const namespaces = namespaceProxy === undefined ? {} : { shop: namespaceProxy };
    expect(workload({ pods: [pod(options)], namespaces })?.proxy).toBe(expected);
  });

  test('capture in the host’s network is told as a problem', () => {
    const { value, problems } = readMeshPod(pod({ ...onHost, ...says('capture') }));
    expect(value).toBeDefined();
    expect(problems[0]).toContain('citadel.dev/proxy: nothing captures in the host’s network');
  });
});

describe('the ports of a workload are', () => {
  const port = (name: string, more: object = {}) => ({ ports: [{ name, port: 80, ...more }] });
  test.each<[string, Objects, string[]]>([
    ['those of its containers', { slices: [] }, ['8080 http']],
    [
      'what its service says of them',
      { services: [service(port('http', { appProtocol: 'grpc' }))] },
      ['8080 http2'],
    ],
    ['also what only a service knows', { pods: [pod({ spec: { containers: [] } })] }, ['8080 http']],
    [
      'what a service says expressly, before what one says that says nothing',
      {
        services: [service(port('web'), 'a'), service()],
        slices: [slice({ ports: [{ name: 'web', port: 8080 }] }, 'a'), slice()],
      },
      ['8080 http'],
    ],
    [
      'what the first service by name says, of two',
      {
        services: [service(), service(port('tcp'), 'a')],
        slices: [slice(), slice({ ports: [{ name: 'tcp', port: 8080 }] }, 'a')],
      },
      ['8080 tcp'],
    ],
    [
      'known before it is ready',
      {
        pods: [pod({ spec: { containers: [] } })],
        slices: [slice({ endpoints: [endpoint('orders-1', { conditions: { ready: false } })] })],
      },
      ['8080 http'],
    ],
    [
      'those of the annotation alone',
      { pods: [pod({ annotations: { 'citadel.dev/ports': '[{port: 9, protocol: tcp}]' } })] },
      ['9 tcp'],
    ],
  ])('%s', (_what, objects, expected) => {
    expect(workload(objects)?.ports.map((each) => `${each.port} ${each.protocol}`)).toEqual(expected);
  });

  test('reached at the pod’s own address where its traffic is captured', () => {
    const captured = pod({ annotations: { 'citadel.dev/proxy': 'capture' } });
    expect(workload({ pods: [captured] })?.ports[0]?.application).toEqual({
      address: '10.1.0.1',
      port: 8080,
    });
  });
});

describe('the endpoints of a service are', () => {
  const none = [[]];
  const known = [[{ address: '10.1.0.1', port: 8080, workload: 'own/shop/orders-1' }]];
  const external = { addresses: ['192.0.2.1'], conditions: {} };
  test.each<[string, Objects, unknown]>([
    ['its ready pods', {}, known],
    [
      'not those that are not ready',
      { slices: [slice({ endpoints: [endpoint('orders-1', { conditions: { ready: false } })] })] },
      none,
    ],
    ['not those whose pod is not known yet', { pods: [] }, none],
    ['not those of an earlier pod of the same name', { pods: [pod({ uid: 'another' })] }, none],
    [
      'those of a pod that is named without its UID',
      {
        slices: [
          slice({ endpoints: [endpoint('orders-1', { targetRef: { kind: 'Pod', name: 'orders-1' } })] }),
        ],
      },
      known,
    ],
    [
      'what is no pod, as something unknown',
      { slices: [slice({ endpoints: [external] })] },
      [[{ address: '192.0.2.1', port: 8080, workload: undefined }]],
    ],
    ['each once, in however many slices', { slices: [slice(), slice()] }, known],
    [
      'those of its first address family',
      {
        slices: [
          slice(),
          slice({ addressType: 'IPv6', endpoints: [endpoint('orders-1', { addresses: ['fd00::1'] })] }),
        ],
      },
      known,
    ],
    [
      'those of another family, where its first has none',
      { services: [service({ ipFamilies: ['IPv6'] })] },
      known,
    ],
    [
      'those of the port of the same name',
      { slices: [slice({ ports: [{ name: 'admin', port: 9 }] })] },
      none,
    ],
  ])('%s', (_what, objects, expected) => {
    expect(endpoints(objects)).toEqual(expected);
  });
});

test('what nothing happened to stays the same object', () => {
  const assembler = createAssembler('own', 'cluster.local');
  const objects = objectsOf({
    pods: [pod(), pod({ name: 'web-1', labels: {} })],
    services: [service(), service({}, 'web')],
    slices: [slice(), slice({ endpoints: [endpoint('web-1')] }, 'web')],
  });
  const before = assembler(objects);
  const pods = new Map(objects.pods).set('shop/web-1', {
    ...([...objects.pods.values()][1] ?? expect.fail()),
    proxy: 'explicit',
  });
  const after = assembler({ ...objects, pods });
  expect(after.workloads.map((each, at) => each === before.workloads[at])).toEqual([true, false]);
  expect(after.services.map((each, at) => each === before.services[at])).toEqual([true, true]);
  pods.delete('shop/web-1');
  const gone = assembler({ ...objects, pods });
  expect(gone.services.map((each, at) => each === before.services[at])).toEqual([true, false]);
  expect(gone.services[1]?.ports[0]?.endpoints).toEqual([]);
});

/** What the pods, the service and the slices below say, as a file says it. */
const files = `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [10.1.0.9]
  ports: [{port: 8080, application: "127.0.0.1:9080"}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-2, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [10.1.0.10]
  proxy: none
  ports: [{port: 8080, protocol: http}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: web-1}
spec:
  serviceAccount: web
  addresses: [10.1.0.3]
  egress: [{listen: "127.0.0.1:7000", service: shop/orders, port: 80}]
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  hosts: [orders.shop.svc.cluster.local, orders.shop.svc, orders.shop]
  addresses: [10.0.0.7]
  ports: [{port: 80, name: http, targetPort: 8080}]
  selector: {app: orders}
`;

test('the same content as from files makes the same snapshot', () => {
  const read = parseYaml(files).flatMap((document) => readMeshDocument(document, 'all.yaml') ?? []);
  expect(read.flatMap(({ problems }) => problems)).toEqual([]);
  const fromFiles = createRegistryAssembler('own')({
    workloads: read.flatMap(({ object }) => (object?.kind === 'Workload' ? [object.value] : [])),
    services: read.flatMap(({ object }) => (object?.kind === 'Service' ? [object.value] : [])),
  });
  const explicit = { 'citadel.dev/proxy': 'explicit' };
  const at = (ip: string) => ({ podIPs: [{ ip }], podIP: ip });
  const fromCluster = createAssembler(
    'own',
    'cluster.local',
  )(
    objectsOf({
      pods: [
        pod({
          name: 'web-1',
          labels: {},
          annotations: {
            ...explicit,
            'citadel.dev/ports': '[]',
            'citadel.dev/egress': '[{"port":80,"service":"shop/orders","listen":"127.0.0.1:7000"}]',
          },
          spec: { serviceAccountName: 'web' },
          status: at('10.1.0.3'),
        }),
        pod({
          name: 'orders-1',
          annotations: {
            ...explicit,
            'citadel.dev/ports': '[{"application": "127.0.0.1:9080", "port": 8080}]',
          },
          status: at('10.1.0.9'),
        }),
        pod({ name: 'orders-2', status: at('10.1.0.10') }),
      ],
      slices: [
        slice({
          endpoints: [
            endpoint('orders-2', { addresses: ['10.1.0.10'] }),
            endpoint('orders-1', { addresses: ['10.1.0.9'] }),
          ],
        }),
      ],
    }),
  );
  // Under which key certificates are issued is what a cluster alone knows.
  const workloads = fromCluster.workloads.map((each) => ({ ...each, proxyKey: undefined }));
  const [ofFiles, ofCluster] = [
    { ...fromFiles, policies: [] },
    { ...fromCluster, workloads },
  ].map((content) => composeSnapshot(settings, [content]));
  expect(ofCluster?.workloads).toEqual(ofFiles?.workloads);
  expect(ofCluster?.services).toEqual(ofFiles?.services);
  expect(ofCluster?.version).toBe(ofFiles?.version);
});
