import { z } from 'zod';

/** The part of JSON Schema that the schemas of policies are made of, and that Kubernetes' structural schemas know. */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  required?: string[];
  items?: Schema;
  enum?: string[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  minimum?: number;
  maximum?: number;
  description?: string;
  'x-kubernetes-validations'?: Validation[];
}

export interface Validation {
  rule: string;
  message: string;
}

const taken = z.object({
  type: z.string().exactOptional(),
  required: z.array(z.string()).exactOptional(),
  enum: z.array(z.string()).exactOptional(),
  pattern: z.string().exactOptional(),
  minLength: z.number().exactOptional(),
  maxLength: z.number().exactOptional(),
  minItems: z.number().exactOptional(),
  maxItems: z.number().exactOptional(),
  minProperties: z.number().exactOptional(),
  maxProperties: z.number().exactOptional(),
  minimum: z.number().exactOptional(),
  maximum: z.number().exactOptional(),
  description: z.string().exactOptional(),
});
/** What is left away knowingly: a structural schema has its own way for unknown fields, and knows none for names. */
const left = new Set(['$schema', 'propertyNames', 'additionalProperties', 'properties', 'items']);

/**
 * Makes a structural schema (kubernetes.io, "Custom Resources: Specifying a structural schema"). What it cannot say is
 * left to the reader of policies; a keyword that is not known here is refused, so that none is lost unseen.
 */
export function structural(value: unknown, path = 'spec'): Schema {
  const given = z.record(z.string(), z.unknown()).parse(value);
  const unknown = Object.keys(given).filter((key) => !left.has(key) && !Object.hasOwn(taken.shape, key));
  if (unknown.length > 0) throw new Error(`${path}: no structural schema has ${unknown.join(', ')}`);
  const schema: Schema = taken.parse(given);
  if (typeof given['additionalProperties'] === 'object')
    schema.additionalProperties = structural(given['additionalProperties'], `${path}{}`);
  if (given['items'] !== undefined) schema.items = structural(given['items'], `${path}[]`);
  if (given['properties'] !== undefined) {
    const entries = Object.entries(z.record(z.string(), z.unknown()).parse(given['properties']));
    schema.properties = Object.fromEntries(
      entries.map(([name, each]) => [name, structural(each, `${path}.${name}`)]),
    );
  }
  return schema;
}

export function addRule(schema: Schema, ...rules: readonly Validation[]): void {
  schema['x-kubernetes-validations'] = [...(schema['x-kubernetes-validations'] ?? []), ...rules];
}

/** The schema at `rules[].from[].source`; a path that leads nowhere is an error. */
export function schemaAt(root: Schema, path: string): Schema {
  let at: Schema | undefined = root;
  for (const part of path.split('.').filter((each) => each !== '')) {
    const [, name = '', items] = /^([^[]+)(\[\])?$/.exec(part) ?? [];
    at = at?.properties?.[name];
    if (items !== undefined) at = at?.items;
  }
  if (!at) throw new Error(`there is no ${path}`);
  return at;
}
