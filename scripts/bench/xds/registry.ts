/** How a mesh is made up that only exists in files. */
export interface Shape {
  readonly workloads: number;
  readonly services: number;
  readonly policies: number;
  readonly mode: 'explicit' | 'capture';
}

export interface BenchWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly address: string;
  readonly service: number;
}

export const rootNamespace = 'root';

const namespaces = 20;
/** Services that a workload with listeners of its own calls, beside the one that all call. */
const callees = 4;
const port = 8080;

/** The workloads, dealt out to the services by turns: the same shape is the same mesh. */
export function workloadsOf({ workloads, services }: Shape): readonly BenchWorkload[] {
  return Array.from({ length: workloads }, (_, at) => {
    const service = at % services;
    return {
      name: `w-${at}`,
      namespace: namespaceOf(service),
      serviceAccount: `sa-${service}`,
      address: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`,
      service,
    };
  });
}

/** The registry's files; each namespace has its own, and what is going to change stands by itself. */
export function registryFiles(shape: Shape): ReadonlyMap<string, string> {
  const [first, ...others] = workloadsOf(shape);
  if (!first) throw new Error('a mesh has at least one workload');
  const documents = new Map<string, string[]>();
  const add = (namespace: string, text: string) => {
    const file = `${namespace}.yaml`;
    documents.set(file, [...(documents.get(file) ?? []), text]);
  };
  for (const workload of others) add(workload.namespace, workloadText(workload, shape));
  for (let at = 0; at < shape.services; at += 1) add(namespaceOf(at), serviceText(at));
  for (let at = 0; at < shape.policies; at += 1) add(namespaceOf(at % shape.services), policyText(at, shape));
  return new Map([
    ...[...documents].map(([file, texts]): [string, string] => [file, texts.join('---\n')]),
    ['changing-workload.yaml', workloadText(first, shape)],
    ['changing-shared.yaml', sharedText(2)],
  ]);
}

export function isCaller(caller: BenchWorkload, callee: number, { mode, services }: Shape): boolean {
  return mode === 'capture' || calledBy(caller.service, services).includes(callee);
}

export function workloadText(workload: BenchWorkload, { mode, services }: Shape): string {
  const { name, namespace, serviceAccount, address, service } = workload;
  const egress = ['shop/shared', ...calledBy(service, services).map((at) => `${namespaceOf(at)}/s-${at}`)];
  const listeners = egress.map(
    (called, at) => `    - {listen: "127.0.0.1:${9000 + at}", service: ${called}, port: ${port}}\n`,
  );
  return `apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: ${namespace}, name: ${name}, labels: {app: s-${service}, instance: ${name}}}
spec:
  serviceAccount: ${serviceAccount}
  addresses: [${address}]
  proxy: ${mode}
  ports: [{port: ${port}, protocol: http}]
${mode === 'explicit' ? `  egress:\n${listeners.join('')}` : ''}`;
}

/** A service of addresses that no registry knows: it hangs on no workload and on no certificate. */
export function sharedText(endpoints: number): string {
  const sockets = Array.from({ length: endpoints }, (_, at) => `"10.200.0.${at + 1}:${port}"`);
  return `apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: shared}
spec:
  addresses: [10.201.0.1]
  ports: [{port: ${port}, protocol: http}]
  endpoints: [${sockets.join(', ')}]
`;
}

/** An ALLOW of any path but the one that is given. @param instance the workload that it holds for; undefined: for all */
export function changedPolicyText(path: string, workload: BenchWorkload | undefined): string {
  const selector = workload ? `  selector: {matchLabels: {instance: ${workload.name}}}\n` : '';
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: ${workload?.namespace ?? rootNamespace}, name: changing}
spec:
${selector}  action: DENY
  rules: [{to: [{operation: {paths: ["${path}"]}}]}]
`;
}

function serviceText(at: number): string {
  return `apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: ${namespaceOf(at)}, name: s-${at}}
spec:
  addresses: [10.202.${at >> 8}.${at & 255}]
  ports: [{port: ${port}, protocol: http}]
  selector: {app: s-${at}}
`;
}

function policyText(at: number, { services }: Shape): string {
  const service = at % services;
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: ${namespaceOf(service)}, name: p-${at}}
spec:
  selector: {matchLabels: {app: s-${service}}}
  action: DENY
  rules:
  - from: [{source: {principals: ["bench.example/ns/${namespaceOf(at)}/sa/stranger-${at}"]}}]
    to: [{operation: {methods: [POST], paths: ["/admin/${at}/*"]}}]
`;
}

function calledBy(service: number, services: number): readonly number[] {
  const others = Math.min(callees, services - 1);
  return Array.from({ length: others }, (_, at) => (service + 1 + at) % services);
}

function namespaceOf(service: number): string {
  return `ns-${service % namespaces}`;
}
