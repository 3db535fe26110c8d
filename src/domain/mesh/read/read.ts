import { z } from 'zod';
import {
  formatPath,
  jsonSchemaOf,
  type SchemaProblem,
  schemaProblems,
  type YamlDocument,
} from '../../../yaml/index.ts';
import {
  formatPolicyProblem,
  isPolicyKind,
  isPolicyTest,
  type Policy,
  policyKey,
  policyKinds,
  readPolicy,
} from '../../policy/index.ts';
import { type ServiceObject, serviceSchema, type WorkloadObject, workloadSchema } from './schema.ts';

/** One object of a registry's files, and how it stands there: from that it can be read again. */
export type MeshObject = { readonly written: WrittenObject } & (
  | { readonly kind: 'Workload'; readonly value: WorkloadObject }
  | { readonly kind: 'Service'; readonly value: ServiceObject }
  | { readonly kind: 'Policy'; readonly value: Policy }
);

export interface WrittenObject {
  readonly value: unknown;
  /** From 1. */
  readonly line: number;
}

/** What one document of a file says; `key` is known also of an object that is broken elsewhere. */
export interface ReadObject {
  /** `<kind>/<namespace>/<name>`; undefined where not even that can be read. */
  readonly key: string | undefined;
  readonly object: MeshObject | undefined;
  /** Each one line: `FILE:LINE:COLUMN: PATH: MESSAGE`. */
  readonly problems: readonly string[];
}

const identity = z.object({
  kind: z.string(),
  metadata: z.object({ namespace: z.string().prefault('default'), name: z.string() }),
});

/** Reads an object again as readMeshDocument read it; never throws. */
export function readWrittenObject({ value, line }: WrittenObject, source: string): ReadObject | undefined {
  const start = { line, column: 1 };
  return readMeshDocument(
    { value, problems: [], start, position: () => start, keyPosition: () => start },
    source,
  );
}

/** Reads one document; never throws. Undefined for an empty one, and for a test of policies. */
export function readMeshDocument(document: YamlDocument, source: string): ReadObject | undefined {
  if (document.problems.length > 0) {
    const problems = document.problems.map(
      ({ line, column, message }) => `${source}:${line}:${column}: ${message}`,
    );
    return { key: undefined, object: undefined, problems };
  }
  if (document.value === undefined || isPolicyTest(document.value)) return undefined;
  const known = identity.safeParse(document.value);
  const key = known.success
    ? `${known.data.kind}/${known.data.metadata.namespace}/${known.data.metadata.name}`
    : undefined;
  const kind = known.data?.kind ?? '';
  if (isPolicyKind(kind)) return readPolicyObject(document, source);
  switch (kind) {
    case 'Workload':
      return { key, ...parse(workloadSchema, 'Workload', document, source) };
    case 'Service':
      return { key, ...parse(serviceSchema, 'Service', document, source) };
    default: {
      const { line, column } = document.position(['kind']);
      const kinds = ['Workload', 'Service', ...policyKinds].join(', ');
      return {
        key,
        object: undefined,
        problems: [`${source}:${line}:${column}: kind: is none that is read here: ${kinds}`],
      };
    }
  }
}

function readPolicyObject(document: YamlDocument, source: string): ReadObject {
  const options = { source, positions: document, defaultNamespace: 'default' };
  const { identity: whose, policy, problems } = readPolicy(document.value, options);
  return {
    key: whose && policyKey(whose),
    object: policy && { kind: 'Policy', value: policy, written: writtenAs(document) },
    problems: problems.map(formatPolicyProblem),
  };
}

function parse<K extends 'Workload' | 'Service'>(
  schema: z.ZodType<Extract<MeshObject, { kind: K }>['value']>,
  kind: K,
  document: YamlDocument,
  source: string,
): Pick<ReadObject, 'object' | 'problems'> {
  const parsed = schema.safeParse(document.value);
  if (!parsed.success) {
    const problems = schemaProblems(parsed.error, jsonSchemaOf(schema), document.value, document);
    return { object: undefined, problems: problems.map((problem) => describe(problem, source)) };
  }
  // The schema and its kind come together from the call, which the union cannot say.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { object: { kind, value: parsed.data, written: writtenAs(document) } as MeshObject, problems: [] };
}

function writtenAs(document: YamlDocument): WrittenObject {
  return { value: document.value, line: document.position([]).line };
}

function describe({ path, place, message, mend }: SchemaProblem, source: string): string {
  const at = place ? `:${place.line}:${place.column}` : '';
  return `${source}${at}: ${formatPath(path)}: ${message}${mend ? `; ${mend}` : ''}`;
}
