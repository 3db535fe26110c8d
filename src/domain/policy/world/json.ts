import { z } from 'zod';
import { CitadelError, compareText } from '../../../kernel/index.ts';
import type { Service, Workload } from '../../mesh/index.ts';
import { describeOrigin, type Policy } from '../model.ts';
import { formatPolicyProblem, readPolicy } from '../read/index.ts';
import { policyObject } from '../write.ts';
import type { PolicyWorld } from './model.ts';

const port = z.int().min(1).max(65_535);
const protocol = z.enum(['http', 'http2', 'tcp']);
const texts = z.array(z.string());

const workloadSchema = z.strictObject({
  id: z.string(),
  namespace: z.string(),
  name: z.string(),
  serviceAccount: z.string(),
  labels: z.record(z.string(), z.string()),
  addresses: texts,
  proxy: z.enum(['none', 'explicit', 'capture']),
  ports: z.array(z.strictObject({ port, protocol })),
});

const serviceSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  hosts: texts,
  addresses: texts,
  ports: z.array(
    z.strictObject({
      port,
      name: z.string(),
      protocol,
      endpoints: z.array(z.strictObject({ address: z.string(), port, workload: z.string().optional() })),
    }),
  ),
});

const worldSchema = z.strictObject({
  apiVersion: z.literal('citadel.dev/v1'),
  kind: z.literal('PolicyWorld'),
  settings: z.strictObject({
    trustDomain: z.string(),
    trustDomainAliases: texts,
    rootNamespace: z.string(),
    authorizationProviders: z.array(
      z.strictObject({ name: z.string(), kind: z.enum(['grpc', 'http']).exactOptional() }),
    ),
  }),
  workloads: z.array(workloadSchema),
  services: z.array(serviceSchema),
  policies: z.array(z.strictObject({ source: z.string(), object: z.unknown() })),
  strict: texts,
});

type WorldDocument = z.output<typeof worldSchema>;

/** A world as JSON, to be taken to where no server is: what of it decides nothing is left out. */
export function formatWorld({ settings, workloads, services, policies, strict }: PolicyWorld): string {
  const { trustDomain, trustDomainAliases, rootNamespace, authorizationProviders } = settings;
  const document: WorldDocument = {
    apiVersion: 'citadel.dev/v1',
    kind: 'PolicyWorld',
    settings: {
      trustDomain,
      trustDomainAliases: [...trustDomainAliases],
      rootNamespace,
      authorizationProviders: authorizationProviders.map(({ name, kind }) => ({
        name,
        ...(kind === undefined ? {} : { kind }),
      })),
    },
    workloads: [...workloads.values()].map(writeWorkload),
    services: [...services.values()].map(writeService),
    policies: policies.map((policy) => ({
      source: describeOrigin(policy.meta.origin),
      object: policyObject(policy),
    })),
    strict: [...strict].toSorted(compareText),
  };
  return `${JSON.stringify(document)}\n`;
}

/**
 * Reads such a world. @param source what it is called in messages
 * @throws CitadelError InvalidArgument for what is none, naming its first fault
 */
export function readWorld(text: string, source: string): PolicyWorld {
  const parsed = worldSchema.safeParse(parseJson(text, source));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw fault(source, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is no policy world'}`);
  }
  const { settings, workloads, services, policies, strict } = parsed.data;
  return {
    settings,
    workloads: new Map(workloads.map((each) => [each.id, readWorkload(each)])),
    services: new Map(services.map((each) => [`${each.namespace}/${each.name}`, readService(each)])),
    policies: policies.map((each) => readWritten(each, source)),
    strict: new Set(strict),
  };
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw fault(source, 'is no JSON; citadel policy world writes such a file');
  }
}

function readWritten({ source, object }: WorldDocument['policies'][number], world: string): Policy {
  const { policy, problems } = readPolicy(object, { source });
  if (policy) return policy;
  throw fault(world, problems.map(formatPolicyProblem).join('; '));
}

function fault(source: string, what: string): CitadelError {
  return new CitadelError('InvalidArgument', `${source}: ${what}`);
}

function writeWorkload(workload: Workload): WorldDocument['workloads'][number] {
  const { id, namespace, name, serviceAccount, labels, addresses, proxy, ports } = workload;
  return {
    id,
    namespace,
    name,
    serviceAccount,
    labels: { ...labels },
    addresses: [...addresses],
    proxy,
    ports: ports.map((each) => ({ port: each.port, protocol: each.protocol })),
  };
}

function readWorkload(written: WorldDocument['workloads'][number]): Workload {
  return {
    ...written,
    proxyKey: undefined,
    ports: written.ports.map((each) => ({
      ...each,
      application: { address: '127.0.0.1', port: each.port },
    })),
    egress: [],
  };
}

function writeService({
  namespace,
  name,
  hosts,
  addresses,
  ports,
}: Service): WorldDocument['services'][number] {
  return {
    namespace,
    name,
    hosts: [...hosts],
    addresses: [...addresses],
    ports: ports.map((each) => ({
      port: each.port,
      name: each.name,
      protocol: each.protocol,
      endpoints: each.endpoints.map(({ address, port: number, workload }) => ({
        address,
        port: number,
        ...(workload === undefined ? {} : { workload }),
      })),
    })),
  };
}

function readService(written: WorldDocument['services'][number]): Service {
  return {
    ...written,
    id: `${written.namespace}/${written.name}`,
    ports: written.ports.map((each) => ({
      ...each,
      endpoints: each.endpoints.map(({ workload, ...rest }) => ({ ...rest, workload })),
    })),
  };
}
