import type { YamlPath } from '../../../yaml/index.ts';
import { conditionKeys } from '../read/index.ts';
import { kindShapes } from './fields.ts';
import { policyFieldHelp } from './help.ts';

type Node = Readonly<Record<string, unknown>>;

/**
 * One JSON Schema for files of policies and their tests, for editors: each document by its kind, each field with what it
 * means. Draft 7, which every editor's server of YAML knows. What readers check beyond it is said by lint.
 */
export function policyFilesJsonSchema(): Node {
  const definitions: Record<string, unknown> = {};
  for (const [kind, shape] of kindShapes()) {
    const { $schema: _, $defs = {}, ...rest } = shape;
    const hoisted = (node: unknown) => renamed(node, kind);
    definitions[kind] = described(hoisted(rest), kind, []);
    for (const [name, part] of Object.entries($defs)) definitions[`${kind}${name}`] = hoisted(part);
  }
  const kinds = [...kindShapes().keys()];
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Policies and their tests',
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata'],
    properties: {
      kind: { enum: kinds, description: policyFieldHelp('AuthorizationPolicy', ['kind']) },
    },
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { $ref: `#/definitions/${kind}` },
    })),
    definitions,
  };
}

/** With references to definitions of its own that carry the kind in front of their names. */
function renamed(node: unknown, kind: string): unknown {
  if (Array.isArray(node)) return node.map((each) => renamed(each, kind));
  if (!isNode(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) =>
      key === '$ref' && typeof value === 'string'
        ? [key, value.replace('#/$defs/', `#/definitions/${kind}`)]
        : [key, renamed(value, kind)],
    ),
  );
}

function described(node: unknown, kind: string, path: YamlPath): unknown {
  if (!isNode(node)) return node;
  const { properties, items, additionalProperties, anyOf, ...rest } = node;
  const description = policyFieldHelp(kind, path);
  return {
    ...(description === undefined ? {} : { description }),
    ...rest,
    ...(path.join('.') === 'spec.rules.when.key' ? { anyOf: conditionKeyShapes() } : {}),
    ...(isNode(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, each]) => [name, described(each, kind, [...path, name])]),
          ),
        }
      : {}),
    ...(items === undefined ? {} : { items: described(items, kind, path) }),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map((each) => withoutHelp(described(each, kind, path))) } : {}),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: described(additionalProperties, kind, [...path, '*']) }),
  };
}

function conditionKeyShapes(): readonly Node[] {
  return [
    { enum: conditionKeys.whole },
    ...conditionKeys.named.map((name) => ({
      pattern: `^${name.replaceAll('.', String.raw`\.`)}(\\[[^\\[\\]]+\\])+$`,
    })),
    { pattern: String.raw`^experimental\.envoy\.filters\.[^\[\]]+\[[^\[\]]+\]$` },
  ];
}

/** The field has said it already. */
function withoutHelp(node: unknown): unknown {
  if (!isNode(node)) return node;
  const { description: _, ...rest } = node;
  return rest;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
