import { z } from 'zod';
import type { YamlPath, YamlPlace, YamlPositions } from './document.ts';
import { closest } from './suggestion.ts';

/** One thing that a schema does not take: where, what, and what mends it. */
export interface SchemaProblem {
  readonly path: YamlPath;
  /** Absent for a value that was not read from text. */
  readonly place?: YamlPlace;
  readonly message: string;
  readonly mend?: string;
}

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of what may be written. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' });
}

/** More of one document helps nobody, and finding the place of each takes time. */
export const mostProblems = 100;

/**
 * What `schema` refused, in the order of the text: unknown keys by themselves, each with the known one that was meant. Of
 * very many only some.
 */
export function schemaProblems(
  error: z.ZodError,
  shape: JsonSchema,
  value: unknown,
  positions?: YamlPositions,
): readonly SchemaProblem[] {
  return error.issues
    .slice(0, mostProblems)
    .flatMap((issue) => problemsOf(issue, shape, value, positions))
    .slice(0, mostProblems)
    .sort((a, b) => inOrder(a.place, b.place));
}

function inOrder(a: YamlPlace | undefined, b: YamlPlace | undefined): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function problemsOf(
  issue: z.core.$ZodIssue,
  shape: JsonSchema,
  value: unknown,
  positions: YamlPositions | undefined,
): readonly SchemaProblem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schemaAt(shape, path));
    return issue.keys.slice(0, mostProblems).map((key) => {
      const meant = closest(key, known);
      return {
        path: [...path, key],
        ...(positions && { place: positions.keyPosition(path, key) }),
        message: 'unknown key',
        mend: meant ? `did you mean ${meant}?` : `known here: ${known.join(', ') || 'none'}`,
      };
    });
  }
  return [
    {
      path,
      ...(positions && { place: positions.position(path) }),
      ...wordsOf(issue, valueAt(value, path), schemaAt(shape, path)),
    },
  ];
}

function wordsOf(
  issue: z.core.$ZodIssue,
  given: unknown,
  schema: JsonSchema | undefined,
): Pick<SchemaProblem, 'message' | 'mend'> {
  if (issue.code === 'custom' && typeof issue.params?.['mend'] === 'string')
    return { message: issue.message, mend: issue.params['mend'] };
  const missing = given === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
  if (missing) return { message: 'is required' };
  if (issue.code === 'invalid_value') {
    const options = issue.values.map(String);
    const meant = typeof given === 'string' ? closest(given, options) : undefined;
    return {
      message: options.length === 1 ? `must be ${options[0]}` : `must be one of ${options.join(', ')}`,
      ...(meant ? { mend: `did you mean ${meant}?` } : {}),
    };
  }
  if (issue.code !== 'invalid_type') return { message: issue.message };
  if (given === null) return { message: issue.message, mend: 'leave the key out, or give it a value' };
  if (issue.expected === 'string' && (typeof given === 'number' || typeof given === 'boolean'))
    return { message: `must be a string, not a ${typeof given}`, mend: `put it in quotes: "${given}"` };
  const known = issue.expected === 'object' ? knownKeys(schema) : [];
  if (known.length > 0) return { message: issue.message, mend: `it takes the keys ${known.join(', ')}` };
  return { message: issue.message };
}

/** What never may be there is named by a schema only to say why. */
function knownKeys(schema: JsonSchema | undefined): readonly string[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, part]) =>
    typeof part === 'object' && part.not === undefined ? [name] : [],
  );
}

/** A mend for a custom issue, as `context.addIssue({..., ...mend('...')})` takes it. */
export function mend(text: string): { readonly params: { readonly mend: string } } {
  return { params: { mend: text } };
}

function valueAt(value: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>(
    (current, part) =>
      typeof current === 'object' && current !== null && Object.hasOwn(current, part)
        ? Reflect.get(current, part)
        : undefined,
    value,
  );
}

/** The schema of the value at `path`. */
function schemaAt(schema: JsonSchema, path: YamlPath): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((current, part) => {
    if (current === undefined) return undefined;
    const { items, additionalProperties } = current;
    if (typeof part === 'number')
      return typeof items === 'object' && !Array.isArray(items) ? items : undefined;
    const named = Object.entries(current.properties ?? {}).find(([name]) => name === part)?.[1];
    if (named !== undefined) return typeof named === 'object' ? named : undefined;
    return typeof additionalProperties === 'object' ? additionalProperties : undefined;
  }, schema);
}
