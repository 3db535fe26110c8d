import { closest, formatPath, type YamlPath } from '../../yaml/index.ts';
import type { ConfigProblem } from './problem.ts';
import { itemsOf, type JsonSchema, propertiesOf } from './shape.ts';

const prefix = 'CITADEL_';
const maximumValueLength = 65_536;

export interface EnvironmentOverride {
  readonly variable: string;
  readonly path: YamlPath;
  readonly value: unknown;
}

export interface EnvironmentReading {
  readonly overrides: readonly EnvironmentOverride[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** The variable that overrides the value at `path`: `certificate.defaultTtl` is `CITADEL_CERTIFICATE__DEFAULT_TTL`. */
export function variableFor(path: readonly string[]): string {
  return prefix + path.map(upperSnake).join('__');
}

function upperSnake(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

/**
 * Finds the overrides among `env`. Booleans are `true` or `false`, numbers are decimal, lists are separated by commas.
 * @param reserved variables of our own that override nothing
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  schema: JsonSchema,
  reserved: ReadonlySet<string>,
): EnvironmentReading {
  const leaves = new Map(overridable(schema, []).map((leaf) => [variableFor(leaf.path), leaf]));
  const overrides: EnvironmentOverride[] = [];
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  for (const [variable, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!variable.startsWith(prefix) || text === undefined || reserved.has(variable)) continue;
    const leaf = leaves.get(variable);
    if (!leaf) {
      const meant = closest(variable, [...leaves.keys()]);
      warnings.push({
        source: variable,
        path: '',
        message: 'overrides nothing in the configuration and is ignored',
        ...(meant ? { mend: `did you mean ${meant}?` } : {}),
      });
      continue;
    }
    const value = parseValue(text, leaf.schema);
    if (value === undefined)
      problems.push({
        source: variable,
        path: formatPath(leaf.path),
        message: `must be ${expectation(leaf.schema)}`,
      });
    else overrides.push({ variable, path: leaf.path, value });
  }
  return { overrides, problems, warnings };
}

interface Leaf {
  readonly path: readonly string[];
  readonly schema: JsonSchema;
}

function overridable(schema: JsonSchema, path: readonly string[]): readonly Leaf[] {
  if (schema.properties)
    return propertiesOf(schema).flatMap(([name, part]) => overridable(part, [...path, name]));
  const items = itemsOf(schema);
  return isScalar(schema) || (schema.type === 'array' && items && isScalar(items)) ? [{ path, schema }] : [];
}

interface ValueKind {
  readonly expected: string;
  /** @returns undefined when the text is anything else */
  readonly parse: (text: string) => unknown;
}

const scalars: Readonly<Record<string, ValueKind>> = {
  string: { expected: 'text', parse: (text) => text },
  boolean: {
    expected: 'true or false',
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  },
  integer: {
    expected: 'a whole number',
    parse: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined),
  },
  number: {
    expected: 'a decimal number',
    parse: (text) => (/^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined),
  },
};

function isScalar(schema: JsonSchema): boolean {
  return Object.hasOwn(scalars, String(schema.type));
}

function parseValue(text: string, schema: JsonSchema): unknown {
  if (text.length > maximumValueLength) return undefined;
  const items = itemsOf(schema);
  if (schema.type !== 'array' || !items) return scalars[String(schema.type)]?.parse(text);
  const values = text === '' ? [] : text.split(',').map((part) => parseValue(part.trim(), items));
  return values.includes(undefined) ? undefined : values;
}

function expectation(schema: JsonSchema): string {
  return scalars[String(schema.type)]?.expected ?? 'a list separated by commas';
}
