import { Secret } from '../../kernel/index.ts';
import { agentSchema } from './agent-schema.ts';
import type { FieldContext } from './fields.ts';
import { serverSchema } from './server-schema.ts';
import { type JsonSchema, jsonSchema } from './shape.ts';

const nothing: FieldContext = { directory: '/', readSecret: () => new Secret('') };

/** The JSON Schemas that editors check configuration files with, by file name. */
export function configJsonSchemas(): Readonly<Record<string, JsonSchema>> {
  return {
    'citadel-server.schema.json': jsonSchema(serverSchema(nothing), 'Citadel server configuration'),
    'citadel-agent.schema.json': jsonSchema(agentSchema(nothing), 'Citadel agent configuration'),
  };
}
