import { type ProxyMode, type WorkloadObject, workloadSchema } from '../../../domain/mesh/index.ts';
import { parseYaml } from '../../../yaml/index.ts';
import { field, items, pick, text } from '../api/index.ts';
import type { Reading } from './informer.ts';
import { type PortProtocol, protocolOf } from './protocol.ts';

/** What the mesh needs of a Pod (core/v1). */
export interface MeshPod {
  readonly uid: string;
  /** As a registry's file would say it. */
  readonly object: WorkloadObject;
  /** What the pod's own annotation says; undefined where it says nothing. */
  readonly proxy: ProxyMode | undefined;
  /** Whether an annotation names its ports: nothing else counts then. */
  readonly portsDeclared: boolean;
  readonly containerPorts: readonly ({ readonly port: number } & PortProtocol)[];
  readonly hostNetwork: boolean;
  /** Whether Istio's injector put a sidecar into it that captures its traffic. */
  readonly sidecar: boolean;
}

export const annotations = {
  proxy: 'citadel.dev/proxy',
  ports: 'citadel.dev/ports',
  egress: 'citadel.dev/egress',
} as const;

const sidecarName = 'istio-proxy';

/**
 * Pods that have ended, that are about to go and that have no address yet are none. Of the annotations, `ports` and
 * `egress` have the form of the same fields of a Workload's spec, in YAML or JSON.
 */
export function readMeshPod(object: unknown): Reading<MeshPod> {
  const addresses = addressesOf(object);
  if (!isRunning(object) || addresses.length === 0) return { problems: [] };
  const problems: string[] = [];
  const annotated = (name: keyof typeof annotations): object => {
    const written = text(object, 'metadata', 'annotations', annotations[name]);
    if (written === undefined) return {};
    if (name === 'proxy') return { proxy: written };
    const [document, ...more] = parseYaml(written);
    const wrong =
      document?.problems[0]?.message ?? (more.length > 0 ? 'is more than one document' : undefined);
    if (wrong !== undefined) problems.push(`${annotations[name]}: ${wrong}`);
    return { [name]: document?.value };
  };
  const annotatedPorts = annotated('ports');
  const parsed = workloadSchema.safeParse({
    apiVersion: 'citadel.dev/v1',
    kind: 'Workload',
    metadata: {
      namespace: text(object, 'metadata', 'namespace'),
      name: text(object, 'metadata', 'name'),
      labels: field(object, 'metadata', 'labels'),
    },
    spec: {
      serviceAccount: text(object, 'spec', 'serviceAccountName') ?? 'default',
      addresses,
      ...annotated('proxy'),
      ...annotatedPorts,
      ...annotated('egress'),
    },
  });
  problems.push(...(parsed.error?.issues ?? []).map(describe));
  const uid = text(object, 'metadata', 'uid');
  if (!parsed.success || uid === undefined || problems.length > 0) return { problems };
  const hostNetwork = field(object, 'spec', 'hostNetwork') === true;
  const proxy = text(object, 'metadata', 'annotations', annotations.proxy) && parsed.data.spec.proxy;
  const value: MeshPod = {
    uid,
    object: parsed.data,
    proxy: proxy || undefined,
    portsDeclared: 'ports' in annotatedPorts,
    containerPorts: containerPorts(object),
    hostNetwork,
    sidecar: hasSidecar(object),
  };
  return {
    value,
    problems:
      hostNetwork && proxy === 'capture'
        ? [
            `${annotations.proxy}: nothing captures in the host’s network; the pod counts as one without proxy`,
          ]
        : [],
  };
}

/** What readMeshPod needs: a fraction of what a pod is. */
export function slimPod(object: unknown): unknown {
  const containers = (name: string) =>
    items(object, 'spec', name).map((each) => ({
      ...pick(each, 'name', 'restartPolicy'),
      ports: items(each, 'ports').map((port) => pick(port, 'name', 'containerPort', 'protocol')),
    }));
  return {
    metadata: {
      ...pick(field(object, 'metadata'), 'namespace', 'name', 'uid', 'labels', 'deletionTimestamp'),
      annotations: pick(field(object, 'metadata', 'annotations'), ...Object.values(annotations)),
    },
    spec: {
      ...pick(field(object, 'spec'), 'serviceAccountName', 'hostNetwork'),
      containers: containers('containers'),
      initContainers: containers('initContainers'),
    },
    status: pick(field(object, 'status'), 'phase', 'podIP', 'podIPs'),
  };
}

function isRunning(object: unknown): boolean {
  const phase = text(object, 'status', 'phase');
  return (
    phase !== 'Succeeded' && phase !== 'Failed' && text(object, 'metadata', 'deletionTimestamp') === undefined
  );
}

function addressesOf(object: unknown): readonly string[] {
  const all = items(object, 'status', 'podIPs').flatMap((each) => text(each, 'ip') ?? []);
  const single = text(object, 'status', 'podIP');
  return all.length > 0 || single === undefined ? all : [single];
}

/** Containers that run as long as the pod does: native sidecars are among the init containers. */
function containersOf(object: unknown): readonly unknown[] {
  const sidecars = items(object, 'spec', 'initContainers').filter(
    (each) => text(each, 'restartPolicy') === 'Always',
  );
  return [...items(object, 'spec', 'containers'), ...sidecars];
}

function containerPorts(object: unknown): MeshPod['containerPorts'] {
  return containersOf(object)
    .filter((container) => text(container, 'name') !== sidecarName)
    .flatMap((container) => items(container, 'ports'))
    .flatMap((each) => {
      const port = field(each, 'containerPort');
      if (typeof port !== 'number' || (text(each, 'protocol') ?? 'TCP') !== 'TCP') return [];
      return [{ port, ...protocolOf(text(each, 'name') ?? '') }];
    });
}

/**
 * The container alone does not tell: Istio's gateways have one of that name too, which captures nothing. The label is
 * how Istio itself marks endpoints that take its mutual TLS.
 */
function hasSidecar(object: unknown): boolean {
  return (
    text(object, 'metadata', 'labels', 'security.istio.io/tlsMode') === 'istio' &&
    containersOf(object).some((container) => text(container, 'name') === sidecarName)
  );
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function describe({ path, message }: Issue): string {
  const [part, name, ...rest] = path.map(String);
  const annotation = Object.entries(annotations).find(([known]) => part === 'spec' && known === name)?.[1];
  const where =
    annotation === undefined ? path.map(String).join('.') : [annotation, rest.join('.')].join(' ');
  return `${where.trimEnd()}: ${message}`;
}
