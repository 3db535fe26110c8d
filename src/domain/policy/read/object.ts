import { z } from 'zod';
import { describeError } from '../../../kernel/index.ts';
import {
  closest,
  formatPath,
  jsonSchemaOf,
  maximumYamlBytes,
  schemaProblems,
  type YamlPath,
  type YamlPlace,
  type YamlPositions,
} from '../../../yaml/index.ts';
import type { Policy, PolicyKind } from '../model.ts';
import { mostPolicyWeight, policyWeight } from '../weight.ts';
import { authorizationSpec, readAuthorizationPolicy } from './authorization.ts';
import { metadata, type ReadMeta, readMeta } from './metadata.ts';
import { peerSpec, readPeerAuthentication } from './peer.ts';
import type { PolicyIdentity, PolicyProblem } from './problem.ts';
import { readRequestAuthentication, requestSpec } from './request.ts';

export interface ReadOptions {
  /** A file, or `kubernetes/<cluster>`, or `store`. */
  readonly source: string;
  /** Where the object's parts stand, if it was read from text. */
  readonly positions?: YamlPositions;
  /** For an object that names none; without it such an object is refused. */
  readonly defaultNamespace?: string;
  /** Of one object, as JSON. */
  readonly maximumBytes?: number;
}

/** What one object says; whose it is can be known also where the rest is broken. */
export interface ReadPolicy {
  readonly identity: PolicyIdentity | undefined;
  /** Undefined exactly where there are problems. */
  readonly policy: Policy | undefined;
  readonly problems: readonly PolicyProblem[];
}

const apiVersions = ['security.istio.io/v1', 'security.istio.io/v1beta1'] as const;

function kindReader<S extends z.ZodType>(
  kind: PolicyKind,
  spec: S,
  read: (meta: ReadMeta, spec: z.output<S>) => Policy,
) {
  const schema = z.strictObject({
    apiVersion: z.enum(apiVersions),
    kind: z.literal(kind),
    metadata,
    spec: spec.optional(),
    status: z.unknown().optional(),
  });
  return {
    schema,
    shape: jsonSchemaOf(schema),
    read(value: unknown, { source, positions, defaultNamespace }: ReadOptions) {
      const parsed = schema.safeParse(value);
      if (!parsed.success) return { error: parsed.error };
      const namespace = parsed.data.metadata.namespace ?? defaultNamespace;
      if (namespace === undefined) return undefined;
      const line = positions?.position([]).line;
      const origin = { source, ...(line === undefined ? {} : { line }) };
      // Kubernetes takes an object without a spec as one whose spec is empty.
      const content = parsed.data.spec ?? spec.parse({});
      return { policy: read(readMeta(parsed.data.metadata, namespace, origin), content) };
    },
  };
}

const readers = {
  AuthorizationPolicy: kindReader('AuthorizationPolicy', authorizationSpec, readAuthorizationPolicy),
  PeerAuthentication: kindReader('PeerAuthentication', peerSpec, readPeerAuthentication),
  RequestAuthentication: kindReader('RequestAuthentication', requestSpec, readRequestAuthentication),
} as const;

export const policyKinds = Object.keys(readers);

export function isPolicyKind(kind: unknown): kind is PolicyKind {
  return typeof kind === 'string' && Object.hasOwn(readers, kind);
}

/** The JSON Schema of what may be written for a kind. */
export function policyJsonSchema(kind: PolicyKind): z.core.JSONSchema.BaseSchema {
  return readers[kind].shape;
}

/** Reads one object, as YAML or the Kubernetes API gives it. It never throws, whatever the value. */
export function readPolicy(value: unknown, options: ReadOptions): ReadPolicy {
  try {
    return readObject(value, options);
  } catch (error) {
    // Cycles, getters that throw: no parser makes such a value, but nobody should have to know that.
    return {
      identity: undefined,
      policy: undefined,
      problems: [
        problemAt(options, undefined, { path: [], message: `cannot be read: ${describeError(error)}` }),
      ],
    };
  }
}

function readObject(value: unknown, options: ReadOptions): ReadPolicy {
  const identity = identityOf(value, options.defaultNamespace);
  const refused = (...problems: readonly Told[]): ReadPolicy => ({
    identity,
    policy: undefined,
    problems: problems.map((problem) => problemAt(options, identity, problem)),
  });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refused({ path: [], message: 'is no object with apiVersion, kind, metadata and spec' });
  const maximum = options.maximumBytes ?? maximumYamlBytes;
  if (Buffer.byteLength(JSON.stringify(value)) > maximum)
    return refused({
      path: [],
      message: `larger than ${maximum} bytes`,
      mend: 'split it into several policies',
    });
  const kind: unknown = Reflect.get(value, 'kind');
  if (!isPolicyKind(kind)) return refused(wrongKind(kind));
  const reader = readers[kind];
  const reading = reader.read(value, options);
  if (reading === undefined) return refused({ path: ['metadata', 'namespace'], message: 'is required' });
  if ('error' in reading)
    return refused(...schemaProblems(reading.error, reader.shape, value, options.positions));
  const weight = policyWeight(reading.policy);
  if (weight > mostPolicyWeight)
    return refused({
      path: ['spec'],
      message: `would take some ${weight} bytes in a proxy, of ${mostPolicyWeight} at most`,
      mend: 'match prefixes instead of many values, or split it into several policies',
    });
  return { identity, policy: reading.policy, problems: [] };
}

function wrongKind(kind: unknown): Told {
  if (kind === undefined)
    return { path: ['kind'], message: 'is required', mend: `one of ${policyKinds.join(', ')}` };
  const meant = typeof kind === 'string' ? closest(kind, policyKinds) : undefined;
  return {
    path: ['kind'],
    message: `${JSON.stringify(kind)} is no kind of policy`,
    mend: meant ? `did you mean ${meant}?` : `known are ${policyKinds.join(', ')}`,
  };
}

function identityOf(value: unknown, defaultNamespace: string | undefined): PolicyIdentity | undefined {
  const parsed = z
    .object({
      kind: z.string(),
      metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
    })
    .safeParse(value);
  if (!parsed.success || !isPolicyKind(parsed.data.kind)) return undefined;
  const { name, namespace = defaultNamespace } = parsed.data.metadata;
  return namespace === undefined ? undefined : { kind: parsed.data.kind, namespace, name };
}

interface Told {
  readonly path: YamlPath;
  readonly place?: YamlPlace;
  readonly message: string;
  readonly mend?: string;
}

function problemAt(
  { source, positions }: ReadOptions,
  identity: PolicyIdentity | undefined,
  { path, place, message, mend }: Told,
): PolicyProblem {
  return {
    source,
    ...(place ?? positions?.position(path)),
    ...(identity && { object: identity }),
    path: formatPath(path),
    message,
    ...(mend === undefined ? {} : { mend }),
  };
}
