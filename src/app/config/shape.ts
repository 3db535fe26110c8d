import { z } from 'zod';
import type { ConfigPath } from './problem.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of what may be written in the file. */
export function jsonSchema(schema: z.ZodType, title: string): JsonSchema {
  return {
    ...z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' }),
    title,
  };
}

/** The schemas of an object's properties, by name. */
export function propertiesOf(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
    typeof part === 'object' ? [[name, part] as const] : [],
  );
}

/** The schema of an array's elements. */
export function itemsOf(schema: JsonSchema): JsonSchema | undefined {
  const { items } = schema;
  return typeof items === 'object' && !Array.isArray(items) ? items : undefined;
}

/** The schema of the value at `path`. */
export function schemaAt(schema: JsonSchema, path: ConfigPath): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((current, part) => {
    if (current === undefined || typeof part === 'number') return current && itemsOf(current);
    const named = propertiesOf(current).find(([name]) => name === part)?.[1];
    const others = current.additionalProperties;
    return named ?? (typeof others === 'object' ? others : undefined);
  }, schema);
}
