/** Objects as the API server has them, with what a test is about put over them. */

interface PodOptions {
  readonly name?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

export function pod(over: PodOptions = {}): object {
  const { name = 'orders-1', uid = `uid-${name}`, labels = { app: 'orders' }, annotations = {} } = over;
  return {
    metadata: { namespace: 'shop', name, uid, labels, annotations, ...over.metadata },
    spec: {
      serviceAccountName: 'orders',
      containers: [{ name: 'main', ports: [{ containerPort: 8080, name: 'http-web', protocol: 'TCP' }] }],
      ...over.spec,
    },
    status: { phase: 'Running', podIP: '10.1.0.1', podIPs: [{ ip: '10.1.0.1' }], ...over.status },
  };
}

export function service(spec: object = {}, name = 'orders'): object {
  return {
    metadata: { namespace: 'shop', name },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.0.0.7',
      clusterIPs: ['10.0.0.7'],
      ipFamilies: ['IPv4'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
  };
}

export function slice(over: object = {}, serviceName = 'orders'): object {
  return {
    metadata: {
      namespace: 'shop',
      name: `${serviceName}-abcde`,
      labels: { 'kubernetes.io/service-name': serviceName },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [endpoint('orders-1')],
    ...over,
  };
}

export function endpoint(podName: string, over: object = {}): object {
  return {
    addresses: ['10.1.0.1'],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', namespace: 'shop', name: podName, uid: `uid-${podName}` },
    ...over,
  };
}
