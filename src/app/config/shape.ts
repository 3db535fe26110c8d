import type { z } from 'zod';
import { jsonSchemaOf } from '../../yaml/index.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of what may be written in the file. */
export function jsonSchema(schema: z.ZodType, title: string): JsonSchema {
  return { ...jsonSchemaOf(schema), title };
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
