import type { MeshSettings, MeshSnapshot, Service, Workload } from '../../../../src/domain/mesh/index.ts';
import { type Policy, readPolicies } from '../../../../src/domain/policy/index.ts';
import { meshSettings } from '../../../fakes/mesh-settings.ts';

/** `<namespace>/<name>`, with the label `app: <name>`, and a port 8080 for HTTP. */
export function workload(id: string, over: Partial<Workload> = {}): Workload {
  const [namespace = '', name = ''] = id.split('/');
  return {
    id: `test/${id}`,
    namespace,
    name,
    serviceAccount: name,
    labels: { app: name },
    addresses: ['127.0.0.1'],
    proxy: 'explicit',
    proxyKey: undefined,
    ports: [{ port: 8080, protocol: 'http', application: { address: '127.0.0.1', port: 9080 } }],
    egress: [],
    ...over,
  };
}

export function ports(...given: readonly (readonly [number, 'http' | 'tcp'])[]): Workload['ports'] {
  return given.map(([port, protocol]) => ({
    port,
    protocol,
    application: { address: '127.0.0.1', port },
  }));
}

export function service(id: string, ...workloads: readonly Workload[]): Service {
  const [namespace = '', name = ''] = id.split('/');
  const endpoints = workloads.map((each) => ({ address: '127.0.0.1', port: 8080, workload: each.id }));
  return {
    id,
    namespace,
    name,
    hosts: [`${name}.${namespace}.svc.cluster.local`],
    addresses: [],
    ports: [{ port: 80, name: 'http', protocol: 'http', endpoints }],
  };
}

export function mesh(
  workloads: readonly Workload[],
  policies: readonly Policy[] = [],
  services: readonly Service[] = [],
  over: Partial<MeshSettings> = {},
): Omit<MeshSnapshot, 'version'> {
  return {
    settings: { ...meshSettings, ...over },
    workloads: new Map(workloads.map((each) => [each.id, each])),
    services: new Map(services.map((each) => [each.id, each])),
    policies,
    strict: new Set(),
    keySets: new Map(),
    shadowed: [],
    bundles: [],
  };
}

export interface Short {
  readonly kind?: Policy['kind'];
  readonly created?: string;
  readonly annotations?: object;
}

/** A policy `<namespace>/<name>` with a spec, read as an author's would be. */
export function policy(
  id: string,
  spec: object,
  { kind = 'AuthorizationPolicy', ...rest }: Short = {},
): Policy {
  const [namespace, name] = id.split('/');
  const { created: creationTimestamp, annotations } = rest;
  const text = JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind,
    metadata: { namespace, name, creationTimestamp, annotations },
    spec,
  });
  const { policies, problems } = readPolicies(text, { source: 'T' });
  if (!policies[0]) throw new Error(JSON.stringify(problems));
  return policies[0];
}

/** A RequestAuthentication, without which nobody has claims. */
export function believing(id: string): Policy {
  const jwtRules = [{ issuer: 'https://idp.example', jwksUri: 'https://idp.example/keys' }];
  return policy(id, { jwtRules }, { kind: 'RequestAuthentication' });
}

/** A PeerAuthentication of a mode. */
export function peer(
  id: string,
  mode: string | undefined,
  app?: string,
  more: object = {},
  created?: string,
): Policy {
  return policy(
    id,
    {
      ...(app === undefined ? {} : { selector: { matchLabels: { app } } }),
      ...(mode === undefined ? {} : { mtls: { mode } }),
      ...more,
    },
    { kind: 'PeerAuthentication', ...(created === undefined ? {} : { created }) },
  );
}
