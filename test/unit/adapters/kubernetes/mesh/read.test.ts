import { describe, expect, test } from 'vitest';
import { readEndpointSlice } from '../../../../../src/adapters/kubernetes/mesh/endpoint-slice.ts';
import { readNamespace } from '../../../../../src/adapters/kubernetes/mesh/namespace.ts';
import { readMeshPod } from '../../../../../src/adapters/kubernetes/mesh/pod.ts';
import { policyCollections, slimPolicy } from '../../../../../src/adapters/kubernetes/mesh/policies.ts';
import { protocolOf } from '../../../../../src/adapters/kubernetes/mesh/protocol.ts';
import { readService } from '../../../../../src/adapters/kubernetes/mesh/service.ts';
import { endpoint, pod, service, slice } from './objects.ts';

describe('a port carries', () => {
  test.each([
    ['', undefined, 'tcp', false],
    ['http', undefined, 'http', true],
    ['http-web', undefined, 'http', true],
    ['HTTP-web', undefined, 'http', true],
    ['http2-x', undefined, 'http2', true],
    ['grpc', undefined, 'http2', true],
    ['grpc-web', undefined, 'http2', true],
    ['grpc-web-x', undefined, 'http2', true],
    ['https-x', undefined, 'tcp', true],
    ['tcp-x', undefined, 'tcp', true],
    ['mysql', undefined, 'tcp', true],
    ['httpx', undefined, 'tcp', false],
    ['web-http', undefined, 'tcp', false],
    ['tcp', 'http', 'http', true],
    ['http', 'tcp', 'tcp', true],
    ['http', 'example.com/own', 'http', true],
    ['web', 'kubernetes.io/h2c', 'http2', true],
    ['web', 'kubernetes.io/ws', 'http', true],
    ['web', 'kubernetes.io/wss', 'tcp', true],
  ] as const)('by the name %j and the appProtocol %j: %s, declared: %j', (name, app, protocol, declared) => {
    expect(protocolOf(name, app)).toEqual({ protocol, declared });
  });
});

describe('a pod is none that counts when it', () => {
  test.each([
    ['is on its way out', pod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    ['has failed', pod({ status: { phase: 'Failed' } })],
    ['has succeeded', pod({ status: { phase: 'Succeeded' } })],
    ['has no address yet', pod({ status: { phase: 'Pending', podIP: undefined, podIPs: undefined } })],
  ])('%s', (_what, object) => {
    expect(readMeshPod(object)).toEqual({ problems: [] });
  });
});

describe('a pod is broken by', () => {
  test.each([
    [{ 'citadel.dev/proxy': 'sidecar' }, 'citadel.dev/proxy: Invalid option'],
    [{ 'citadel.dev/ports': '[{port: 0}]' }, 'citadel.dev/ports 0.port: Too small'],
    [{ 'citadel.dev/ports': '[{port: 80, colour: red}]' }, 'citadel.dev/ports 0: Unrecognized key: "colour"'],
    [{ 'citadel.dev/ports': '{' }, 'citadel.dev/ports: not valid YAML'],
    [{ 'citadel.dev/ports': '[]\n---\n[]' }, 'citadel.dev/ports: is more than one document'],
    [
      { 'citadel.dev/egress': '[{listen: "x", service: a/b, port: 1}]' },
      'citadel.dev/egress 0.listen: must be',
    ],
  ])('the annotation %j', (annotations, problem) => {
    const { value, problems } = readMeshPod(pod({ annotations }));
    expect(value).toBeUndefined();
    expect(problems[0]).toContain(problem);
  });
});

test('of a pod both addresses are read, and the ports of its containers and native sidecars over TCP', () => {
  const containers = [
    {
      name: 'main',
      ports: [
        { containerPort: 8080, name: 'grpc' },
        { containerPort: 53, protocol: 'UDP' },
      ],
    },
    { name: 'istio-proxy', ports: [{ containerPort: 15090 }] },
  ];
  const initContainers = [
    { name: 'once', ports: [{ containerPort: 1 }] },
    { name: 'beside', restartPolicy: 'Always', ports: [{ containerPort: 9000 }] },
  ];
  const podIPs = [{ ip: '10.1.0.1' }, { ip: 'fd00::1' }];
  const { value } = readMeshPod(pod({ spec: { containers, initContainers }, status: { podIPs } }));
  expect(value?.object.spec.addresses).toEqual(['10.1.0.1', 'fd00::1']);
  expect(value?.containerPorts).toEqual([
    { port: 8080, protocol: 'http2', declared: true },
    { port: 9000, protocol: 'tcp', declared: false },
  ]);
});

test('a service has its addresses of both families, and its TCP ports', () => {
  const { value } = readService(
    service({
      clusterIPs: ['10.0.0.7', 'fd00::7'],
      ports: [
        { name: 'http', port: 80 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    }),
  );
  expect(value).toMatchObject({
    addresses: ['10.0.0.7', 'fd00::7'],
    family: 'IPv4',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
  });
});

test.each([
  ['headless', { clusterIP: 'None', clusterIPs: ['None'] }, []],
  ['of an old API server', { clusterIP: '10.0.0.9', clusterIPs: undefined }, ['10.0.0.9']],
])('a service that is %s', (_what, spec, addresses) => {
  expect(readService(service(spec)).value?.addresses).toEqual(addresses);
});

test.each([
  ['an ExternalName', { type: 'ExternalName', externalName: 'example.org', clusterIPs: undefined }],
  ['one without a TCP port', { ports: [{ port: 53, protocol: 'UDP' }] }],
])('%s is no service of the mesh', (_what, spec) => {
  expect(readService(service(spec))).toEqual({ problems: [] });
});

describe('of a slice', () => {
  test.each([
    ['one that terminates is left out', { conditions: { ready: true, terminating: true } }, []],
    ['one that is not ready is known as such', { conditions: { ready: false } }, [false]],
    ['one that says nothing is ready', { conditions: {} }, [true]],
    ['one without an address is left out', { addresses: [] }, []],
  ])('%s', (_what, over, ready) => {
    const { value } = readEndpointSlice(slice({ endpoints: [endpoint('orders-1', over)] }));
    expect(value?.endpoints.map((each) => each.ready)).toEqual(ready);
  });

  test.each([
    ['names instead of addresses', { addressType: 'FQDN' }],
    ['no service', { metadata: { namespace: 'shop', name: 'x' } }],
  ])('%s: it is none', (_what, over) => {
    expect(readEndpointSlice(slice(over))).toEqual({ problems: [] });
  });
});

test.each([
  [undefined, undefined, 0],
  ['capture', 'capture', 0],
  ['sidecar', undefined, 1],
])('a namespace that says %j of its pods', (written, value, problems) => {
  const annotations = written === undefined ? {} : { 'citadel.dev/proxy': written };
  const reading = readNamespace({ metadata: { name: 'shop', annotations } });
  expect(reading.value).toBe(value);
  expect(reading.problems).toHaveLength(problems);
});

test('a policy is handed on as its author wrote it', () => {
  const [collection] = policyCollections;
  if (!collection) throw new Error('no kinds');
  const written = { labels: { a: 'b' }, annotations: { 'istio.io/dry-run': 'true' } };
  const stored = {
    metadata: {
      ...written,
      namespace: 'shop',
      name: 'p',
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
      uid: 'u',
      resourceVersion: '7',
      managedFields: [{}],
      annotations: { ...written.annotations, 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    spec: { action: 'DENY' },
    status: { conditions: [] },
  };
  expect(slimPolicy(stored, collection)).toEqual({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: {
      ...written,
      namespace: 'shop',
      name: 'p',
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { action: 'DENY' },
  });
});
